"""What the metrics are."""

from __future__ import annotations

from perfdb.families.schedulers.measures.figures import figures
from perfdb.families.schedulers.metrics import HEADLINE, METRICS, OF_ARM, PAIRED
from tests.families.schedulers.done import arm, job


def test_everything_that_an_arm_can_say_is_a_metric_that_is_defined() -> None:
    found = figures(arm(job(1, 0, 0, 30, nodes=3), job(2, 0, 30, 50, nodes=4, user=1)))
    assert set(found) == set(OF_ARM)


def test_each_place_has_its_metrics_and_each_later_one_its_differences_to_the_first() -> None:
    assert "arm6_makespan_s" in METRICS
    assert "arm7_makespan_s" not in METRICS
    assert "arm6_less_arm1_makespan_s" in METRICS
    assert "arm1_less_arm1_makespan_s" not in METRICS
    measured = {name for name in METRICS if not name.startswith("simulated_")}
    assert len(measured) == 6 * len(OF_ARM) + 5 * len(PAIRED)


def test_each_has_a_name_of_its_own_for_what_was_simulated() -> None:
    measured = {name for name in METRICS if not name.startswith("simulated_")}
    assert set(METRICS) - measured == {f"simulated_{name}" for name in measured}
    assert all(("simulated, not measured" in d.definition) == (name not in measured) for name, d in METRICS.items())


def test_a_difference_may_be_less_than_nothing() -> None:
    assert all(d.least < 0 for name, d in METRICS.items() if "_less_" in name)


def test_total_time_says_from_when_to_when_it_is() -> None:
    told = METRICS["arm1_total_time_s"].definition
    assert "from a job's submission to the end of its program" in told
    assert "of the first arm that --arms names" in told


def test_the_headline_is_made_of_metrics_without_repeating_one() -> None:
    assert set(HEADLINE) <= set(METRICS)
    assert len(HEADLINE) == len(set(HEADLINE))
