"""The offset of a clock that tells whole seconds, on a day that passes as fast as it is asked to."""

from __future__ import annotations

import math

import pytest

from tests.families.schedulers.child.slurm.arms import child_module

clock = child_module("clock")


class Day:
    """Our clock, and one that is ahead of it and told in whole seconds; a question takes `way_s` there and back."""

    def __init__(self, now_s: float, ahead_s: float, way_s: float) -> None:
        self.now_s, self.ahead_s, self.way_s = now_s, ahead_s, way_s
        self.questions = 0

    def now(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    def second(self) -> int:
        self.questions += 1
        self.now_s += self.way_s / 2
        told = math.floor(self.now_s + self.ahead_s)
        self.now_s += self.way_s / 2
        return told


@pytest.mark.parametrize("ahead_s", [0.0, 0.3, -7.25, 3600.999])
@pytest.mark.parametrize("began_s", [1000.0, 1000.4, 1000.99])
def test_an_offset_is_found_to_a_part_of_a_second(ahead_s: float, began_s: float) -> None:
    day = Day(began_s, ahead_s, way_s=0.008)
    found_s, unsure_s = clock.offset(day.second, day.now, day.sleep)
    assert abs(found_s - ahead_s) <= unsure_s + 1e-9 and unsure_s <= 0.02
    assert day.questions <= 7 and day.now_s - began_s < 8


def test_an_offset_is_known_no_better_than_the_way_to_the_clock_allows() -> None:
    day = Day(1000.0, 0.3, way_s=0.4)
    found_s, unsure_s = clock.offset(day.second, day.now, day.sleep)
    assert abs(found_s - 0.3) <= unsure_s + 1e-9 and unsure_s >= 0.1
