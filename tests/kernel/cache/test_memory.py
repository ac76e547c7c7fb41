"""What a process remembers itself is bounded by bytes, and nearly as many as it says."""

import tracemalloc
from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from headwater.kernel.cache import MISSING, CacheFamily, CacheSettings
from headwater.kernel.cache.memory import Entry, Memory
from headwater.kernel.observe import CacheCounts
from tests.kernel.cache.conftest import Open
from tests.kernel.cache.kit import PAGES, Loader


class Card(msgspec.Struct, frozen=True):
    id: int
    title: str
    tags: tuple[str, ...]
    score: float


CARDS = CacheFamily("cards", Card, ttl=60)


def entry(weight: int, counts: CacheCounts | None = None) -> Entry:
    return Entry("value", 0.0, 1.0, weight, counts or CacheCounts("f"))


def test_who_was_used_longest_ago_goes_first() -> None:
    counts, memory = CacheCounts("f"), Memory(1000)
    for key in "abcdefghij":
        memory.put(key, entry(100, counts))
    memory.touch("a")
    memory.put("k", entry(100, counts))
    assert memory.find("b") is None and memory.find("a") is not None
    assert (memory.weight, counts.evictions) == (1000, 1)


def test_what_alone_would_push_out_the_rest_is_not_remembered() -> None:
    memory = Memory(1000)
    memory.put("a", entry(100))
    memory.put("a", entry(126))
    assert (len(memory), memory.weight) == (0, 0)


def test_without_memory_nothing_is_remembered_here() -> None:
    memory = Memory(0)
    memory.put("a", entry(1))
    assert len(memory) == 0


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("put"), st.sampled_from("abcdefgh"), st.integers(1, 40)),
            st.tuples(st.sampled_from(["drop", "touch"]), st.sampled_from("abcdefgh"), st.just(0)),
        )
    )
)
def test_the_weight_is_what_is_there_and_within_bounds(steps: list[tuple[str, str, int]]) -> None:
    memory = Memory(200)
    held: dict[str, int] = {}
    for verb, key, weight in steps:
        if verb == "put":
            memory.put(key, entry(weight))
            held[key] = weight
        elif verb == "drop":
            memory.drop(key)
        elif memory.find(key):
            memory.touch(key)
        present = {key: found for key in "abcdefgh" if (found := memory.find(key)) is not None}
        assert memory.weight == sum(each.weight for each in present.values()) <= 200
        assert all(present[key].weight == held[key] for key in present)


async def test_the_bound_holds_for_real_values(open_cache: Open) -> None:
    settings = CacheSettings(memory_bytes=4 * 1024 * 1024)
    cases: list[tuple[CacheFamily[Any], Callable[[int], object]]] = [(PAGES, _page), (CARDS, _card)]
    for family, made in cases:
        cache = await open_cache(None, settings)
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        for number in range(20_000):
            await cache.through(family, f"{number}", Loader(made(number)))
        taken = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        assert 3 * 1024 * 1024 < cache.memory.weight <= settings.memory_bytes
        assert 0.3 * cache.memory.weight < taken < 1.2 * cache.memory.weight, family.name
        assert cache.peek(family, "0") is MISSING
        assert cache.peek(family, "19999") is not MISSING
        [counts] = cache.counts
        assert counts.evictions > 5_000


def _page(number: int) -> bytes:
    return bytes([number % 256]) * (number % 2000)


def _card(number: int) -> Card:
    return Card(number, f"Card {number}", (f"red {number}", f"green {number}", "blue"), number / 3)
