"""Everything is loaded ahead in its order; what fails hinders nobody, and is told."""

import asyncio

import pytest

from headwater.kernel.cache import BoundWarming, Warmer, WarmingStage
from headwater.kernel.clock import DrivenClock
from headwater.kernel.observe import CacheWarmed, HookFailed, Observation, Observer


@pytest.fixture
def told() -> list[Observation]:
    return []


@pytest.fixture
def trail() -> list[str]:
    return []


@pytest.fixture
def warmer(told: list[Observation], trail: list[str], clock: DrivenClock) -> Warmer:
    made = Warmer(clock, Observer(told.append), every=0.05)

    async def fail() -> int:
        trail.append("configuration")
        raise RuntimeError

    def noting(name: str, items: int) -> BoundWarming:
        async def warm() -> int:
            trail.append(name)
            return items

        return BoundWarming(name=name, stage=WarmingStage[name.upper()], warm=warm)

    made.add(noting("limits", 1))
    made.add(BoundWarming(name="configuration", stage=WarmingStage.CONFIGURATION, warm=fail))
    made.add(noting("sessions", 20))
    made.add(noting("content", 10))
    return made


async def test_defect_17_warming_loads_in_the_drawn_order_and_says_what(
    warmer: Warmer, told: list[Observation], trail: list[str]
) -> None:
    warmed = await warmer.warm()
    assert trail == ["content", "sessions", "configuration", "limits"]
    assert warmed.items == 31 and warmer.last is warmed
    assert [(part.name, part.items, part.reason) for part in warmed.parts] == [
        ("content", 10, None),
        ("sessions", 20, None),
        ("configuration", 0, "RuntimeError"),
        ("limits", 1, None),
    ]
    [failed] = [each for each in told if isinstance(each, HookFailed)]
    assert failed.part == "warming configuration"
    [summed] = [each for each in told if isinstance(each, CacheWarmed)]
    assert (summed.items, summed.failed) == (31, ("configuration",))


async def test_it_goes_on_every_so_often(warmer: Warmer, trail: list[str]) -> None:
    warmer.start()
    async with asyncio.timeout(30):
        while trail.count("limits") < 3:  # noqa: ASYNC110 - it rings no bell
            await asyncio.sleep(0.01)
    await warmer.stop()


async def test_who_hurries_right_after_a_warming_is_not_heard(warmer: Warmer, trail: list[str]) -> None:
    await warmer.warm()
    assert not warmer.hurry()
    await asyncio.sleep(0.03)
    assert warmer.hurry()
