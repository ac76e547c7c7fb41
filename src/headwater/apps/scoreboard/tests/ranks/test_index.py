"""The index is what a sorted list of everything would be."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from ...ranks.entry import REVISIONS, member_name, named, packed, told, unpacked, user_of
from ...ranks.index import Differences, Index

LARGEST = 2**53 - 1
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2400, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
STANDINGS = st.integers(-LARGEST, LARGEST)
PLACES = st.tuples(STANDINGS, MOMENTS, st.uuids())
FEW = st.tuples(st.integers(0, 5), st.one_of(st.none(), st.integers(-2, 2)), st.integers(0, 12))


def _entry(place: tuple[int, datetime, UUID], revision: int = 1) -> int:
    return packed(place[0], place[1], place[2].int, revision)


@given(PLACES, PLACES)
def test_an_entry_sorts_as_its_parts_do(one: tuple[int, datetime, UUID], other: tuple[int, datetime, UUID]) -> None:
    assert (_entry(one) < _entry(other)) == (one < other)
    assert unpacked(_entry(one)) == one
    assert told(_entry(one))[7:30] == member_name(one[1], one[2])
    assert named(member_name(one[1], one[2])) == one[1:]


@given(STANDINGS, MOMENTS, st.uuids(), st.integers(0, REVISIONS))
def test_an_entry_takes_64_bytes_and_no_more(standing: int, moment: datetime, user: UUID, revision: int) -> None:
    entry = packed(standing, moment, user.int, revision)

    assert entry.__sizeof__() <= 64
    assert entry & REVISIONS == revision
    assert user_of(entry) == user.int


@given(st.lists(FEW), st.lists(FEW))
def test_the_newest_revision_of_each_user_is_what_counts(
    changes: list[tuple[int, int | None, int]], rows: list[tuple[int, int | None, int]]
) -> None:
    index, expected = Index(), dict[int, tuple[int, int | None]]()
    moment = datetime(2030, 1, 1, tzinfo=UTC)
    for user, standing, revision in changes:
        newer = revision > expected.get(user, (-1, None))[0]
        if standing is None:
            assert index.remove(user, revision) is newer
        else:
            assert index.put(packed(standing, moment, user, revision)) is newer
        if newer:
            expected[user] = (revision, standing)
    taken = {user: (revision, standing) for user, standing, revision in rows if standing is not None}
    index.take_in([packed(s, moment, user, revision) for user, (revision, s) in taken.items()], Differences())
    for user, (revision, standing) in taken.items():
        if revision >= expected.get(user, (-1, None))[0]:
            expected[user] = (revision, standing)

    there = sorted((standing, user) for user, (_, standing) in expected.items() if standing is not None)
    assert len(index) == len(there)
    assert [user_of(entry) for entry in index.slice(0, 10)] == [user for _, user in there]
    for user in range(6):
        own = next((rank for rank, (_, other) in enumerate(there, 1) if other == user), None)
        assert index.rank(user) == own
        for standing in range(-2, 3):
            before = sum((s, u) < (standing, user) for s, u in there if u != user)
            assert index.rank_with(user, packed(standing, moment, user, 0)) == before + 1


def test_only_the_latest_removals_are_remembered() -> None:
    index, moment = Index(), datetime(2030, 1, 1, tzinfo=UTC)
    users = [uuid4().int for _ in range(60_000)]
    for revision, user in enumerate(users, 10):
        index.remove(user, revision)

    assert len(index._removed) <= 50_000
    assert not index.put(packed(1, moment + timedelta(seconds=1), users[-1], 9))
