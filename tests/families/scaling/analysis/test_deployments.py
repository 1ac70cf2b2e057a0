"""Runs on so many hosts, set against one another: only where they are alike, and with what speaks against it."""

from __future__ import annotations

import pytest

from perfdb.families.scaling.analysis.cells import Cell, Criterion
from perfdb.families.scaling.analysis.deployments import AtWait, Measured, more_hosts, together
from perfdb.families.scaling.analysis.factor import Factor, NoFactor
from perfdb.families.scaling.analysis.kinds import kind_of
from perfdb.families.scaling.analysis.usl import Fit, NoFit
from perfdb.families.scaling.charts import of_more_hosts
from perfdb.families.scaling.spec import ScalingSpec
from tests.families.scaling.analysis.oracle import cell


def near(ceiling: float, repetition: int = 1, *, success: float = 1.0) -> list[Cell]:
    """A repetition that bears this load, and is too slow from the next session on."""
    return [
        cell(ceiling, 1.1, repetition=repetition),
        cell(ceiling + 1, 9.0, repetition=repetition).model_copy(update={"success_share": success}),
    ]


def run(hosts: int, *ceilings: float, seen: int | None = None, record: str = "", **changes: object) -> Measured:
    cells = [one for number, ceiling in enumerate(ceilings, 1) for one in near(ceiling, number)]
    cells = [one.model_copy(update={"unique_hosts": hosts if seen is None else seen}) for one in cells]
    given: dict[str, object] = {
        "records": (record or f"{hosts:016d}",),
        "name": "service",
        "kind": "ws, burst",
        "hosts": hosts,
        "cells": tuple(cells),
        "criterion": Criterion(),
        "unit": "sessions",
        "sessions": {f"host-{n}": 10 for n in range(hosts)},
    }
    return Measured.model_validate({**given, **changes})


def only(found: tuple[AtWait, ...]) -> AtWait:
    (one,) = found
    return one


def test_one_host_against_two_by_hand() -> None:
    found = only(more_hosts([run(1, 1000, 1000), run(2, 1900, 1900)]))
    factor = found.factors[2]
    assert isinstance(factor, Factor)
    assert (factor.factor, factor.efficiency) == (1.9, 0.95)
    assert found.sides[1].ceiling.bracket.passed == 1000
    assert found.sides[2].unique_hosts == 2
    assert isinstance(found.law, NoFit)


def test_by_success_alone_a_service_that_is_too_slow_bears_more() -> None:
    found = only(more_hosts([run(1, 1000), run(2, 1900)]))
    assert found.sides[2].ceiling.bracket.text() == "1,900"
    assert found.sides[2].by_success.bracket.text() == "at least 1,901"
    loose = found.by_success[2]
    assert isinstance(loose, Factor)
    assert loose.bound == "unknown"


def test_three_numbers_of_hosts_have_a_law() -> None:
    found = only(more_hosts([run(1, 1000, 1000), run(2, 1900, 1900), run(4, 3400, 3400)]))
    assert isinstance(found.law, Fit)
    assert found.law.law.at(1) == pytest.approx(1000, rel=0.01)
    assert "one host bears" in found.law.text()


def test_no_law_follows_from_a_ceiling_that_was_not_reached() -> None:
    open_ended = run(4, 3400).model_copy(update={"cells": (cell(3400, 1.1),)})
    found = only(more_hosts([run(1, 1000), run(2, 1900), open_ended]))
    assert isinstance(found.law, NoFit)
    assert "of 4 hosts the largest load that was tried passed in 1 of 1 repetition" in found.law.reason


def one_short(hosts: int, ceiling: float, odd: list[Cell]) -> Measured:
    """Three repetitions, the second of which says something else."""
    cells = [*near(ceiling, 1), *(one.model_copy(update={"repetition": 2}) for one in odd), *near(ceiling, 3)]
    return run(hosts).model_copy(update={"cells": tuple(cells)})


def test_no_law_follows_where_the_ceiling_of_one_repetition_is_not_known() -> None:
    whole = [run(1, 100, 100, 100), run(2, 190, 190, 190)]
    for odd, why in (
        ([cell(32, 9.0)], "of 4 hosts already the smallest load failed in 1 of 3 repetitions"),
        ([cell(256, 1.1)], "of 4 hosts the largest load that was tried passed in 1 of 3 repetitions"),
    ):
        found = only(more_hosts([*whole, one_short(4, 256, odd)]))
        assert isinstance(found.law, NoFit)
        assert why in found.law.reason


def test_a_load_that_says_nothing_of_the_service_bounds_no_ceiling() -> None:
    spoiled = cell(257, 9.0, valid=False)
    alone = run(2, 256).model_copy(update={"cells": (cell(256, 1.1), spoiled)})
    side = only(more_hosts([run(1, 128), alone])).sides[2]
    assert side.ceiling.bracket.text() == "at least 256"
    assert side.by_success.bracket.text() == "at least 256"
    assert (side.ceiling.invalid_cells, alone.latency_rows[-1].cells, alone.latency_rows[-1].p99_s) == (1, 0, None)


def test_runs_of_another_kind_are_not_set_against_one_another() -> None:
    assert more_hosts([run(1, 1000), run(2, 1900, kind="http, burst")]) == ()


def test_what_was_imported_stands_beside_what_was_measured() -> None:
    ours, theirs = [run(1, 1000), run(2, 1900)], [run(n, 10 * n, kind="imported", imported=True) for n in (1, 2)]
    mine, strange = more_hosts([*ours, *theirs])
    assert (mine.sides[1].ceiling.bracket.passed, strange.sides[1].ceiling.bracket.passed) == (1000, 10)


def test_of_runs_on_as_many_hosts_the_last_counts() -> None:
    found = only(more_hosts([run(1, 5), run(2, 1900), run(1, 1000)]))
    assert found.sides[1].ceiling.bracket.passed == 1000


def test_runs_taken_together_are_one_of_more_repetitions() -> None:
    (one,) = together([run(1, 1000, record="a" * 16), run(1, 1200, 1100, record="b" * 16)])
    (ceiling,) = one.ceilings
    assert [each.bracket.passed for each in ceiling.repetitions] == [1000, 1200, 1100]
    assert one.records == ("a" * 16, "b" * 16)
    assert one.sessions == {"host-0": 20}


def test_only_what_is_alike_is_taken_together() -> None:
    other = run(1, 1000, criterion=Criterion(p99_factor=3.0))
    assert len(together([run(1, 1000), run(2, 1900), other, run(1, 1000, kind="http")])) == 4


def test_another_criterion_has_no_factor_and_says_why() -> None:
    found = only(more_hosts([run(1, 1000), run(2, 1900, criterion=Criterion(p99_factor=3.0))]))
    factor = found.factors[2]
    assert isinstance(factor, NoFactor)
    assert "measured apart in wait, load or criterion" in factor.reason


def test_one_unique_host_behind_a_balancer_of_two_is_invalid() -> None:
    factor = only(more_hosts([run(1, 1000), run(2, 1000, seen=1)])).factors[2]
    assert isinstance(factor, Factor)
    assert not factor.valid
    assert "1 of 2 hosts answered" in factor.remarks[0]


def test_a_kind_says_what_was_asked_for_and_not_what_is_so_anyway() -> None:
    assert kind_of(ScalingSpec(), "laptop", "/") == "ws, burst, from laptop"
    assert kind_of(ScalingSpec(steady_s=3.0, reps=9, requests_grid="7"), "laptop", "/") == "ws, burst, from laptop"
    asked = ScalingSpec(shape="open", steady_s=3.0, ramp_s=2.0)
    assert kind_of(asked, "laptop", "/") == "ws, open, ramp_s 2.0, steady_s 3.0, from laptop"


def test_loads_from_the_nodes_of_a_config_are_of_another_kind_than_local_ones() -> None:
    asked = ScalingSpec(clients_on="slurm_hopper", clients=4)
    assert kind_of(asked, "laptop", "/") == "ws, burst, from nodes of slurm_hopper on laptop"


def test_what_a_plain_get_got_is_of_the_kind() -> None:
    assert kind_of(ScalingSpec(mode="get"), "laptop", "/health") == "get /health, burst, from laptop"


def test_the_curve_has_what_was_measured_what_is_linear_and_the_law() -> None:
    runs = [run(1, 1000, 900), run(2, 1900, 1700), run(4, 3400, 3000)]
    picture = of_more_hosts(more_hosts(runs), runs)
    assert picture is not None
    measured, linear, law = picture.data.lines
    assert [(dot.x, dot.y, dot.low, dot.high) for dot in measured.dots] == [
        (1.0, 950, 900, 1000),
        (2.0, 1800, 1700, 1900),
        (4.0, 3200, 3000, 3400),
    ]
    assert [dot.y for dot in linear.dots] == [950, 1900, 3800]
    assert (linear.rule, law.rule) == ("linear", "Universal Scalability Law")
    assert law.dots[0].x == 1.0
    assert law.dots[-1].x == 6.0


def test_a_curve_says_which_ceilings_are_only_at_least_that() -> None:
    runs = [run(1, 1000), run(2, 1900).model_copy(update={"cells": (cell(1900, 1.1),)})]
    picture = of_more_hosts(more_hosts(runs), runs)
    assert picture is not None
    assert "of 2 hosts the largest load that was tried passed" in picture.data.remarks[0]


def test_the_curve_counts_a_repetition_that_bore_nothing_and_says_so() -> None:
    runs = [run(1, 128, 128, 128), one_short(4, 256, [cell(32, 9.0)])]
    picture = of_more_hosts(more_hosts(runs), runs)
    assert picture is not None
    dot = picture.data.lines[0].dots[1]
    assert (dot.x, dot.y, dot.low, dot.high) == (4.0, 256, 0, 256)
    assert picture.data.remarks == ("wait 1 s: of 4 hosts already the smallest load failed in 1 of 3 repetitions.",)


def test_what_is_linear_is_drawn_from_one_host_and_from_no_other() -> None:
    nothing = run(1).model_copy(update={"cells": (cell(32, 9.0),)})
    runs = [nothing, run(2, 200), run(4, 300)]
    picture = of_more_hosts(more_hosts(runs), runs)
    assert picture is not None
    (line,) = picture.data.lines
    assert [dot.x for dot in line.dots] == [2.0, 4.0]
    assert (
        "of 1 host already the smallest load failed in 1 of 1 repetition, so there is no dot" in picture.data.remarks[0]
    )


def test_where_no_ceiling_is_known_there_is_no_curve() -> None:
    runs = [run(n).model_copy(update={"cells": (cell(32, 9.0),)}) for n in (1, 2)]
    assert more_hosts(runs)
    assert of_more_hosts(more_hosts(runs), runs) is None


def test_without_several_hosts_there_is_no_curve() -> None:
    assert of_more_hosts((), [run(1, 1000)]) is None
