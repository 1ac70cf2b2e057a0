"""The note on a run's page."""

from __future__ import annotations

import pytest

from perfdb.record import Check, Code, ConfigRef, Metric
from perfdb.tracking.note import note
from tests.tracking.records import make_record


def test_a_metric_is_shown_as_median_with_its_spread_and_unit():
    assert r"| warm\_tasks\_per\_s (higher is better) | 710 tasks/s | 700 tasks/s to 900 tasks/s | 3 |" in note(
        make_record()
    )


def test_failed_checks_come_before_passed_ones():
    checks = (Check(name="fine", passed=True, detail="d"), Check(name="broken", passed=False, detail="d"))
    text = note(make_record(checks=checks))
    assert text.index("broken") < text.index("fine")


def test_single_iterations_are_left_out():
    only = (Metric(name="rate", unit="1/s", direction="higher", value=5.0, step=1),)
    assert "rate" not in note(make_record(metrics=only, checks=(), findings=(), spec={}))


def test_the_note_says_how_to_run_it_again():
    record = make_record()
    by_hand = "perfdb run throughput local_htex --parsl 2026.10.26 --set time_s=5 --set reps=3"
    assert f"    perfdb reproduce {record.record_id}\n    {by_hand}\n" in note(record)


def test_a_time_limit_is_given_as_the_option_that_it_is():
    text = note(make_record(spec={"time": 5.0, "timeout_s": 60.0}))
    assert "--set time=5.0 --timeout 60.0\n" in text
    assert "timeout_s" not in text


@pytest.mark.parametrize(
    "changes",
    [
        {"overrides": {"executor.max_workers_per_node": 4}},
        {"code": Code(perfdb_version="0.1.0", measured={"parsl": "2026.10.26", "parsl_source": "commit " + "c" * 40})},
        {"code": Code(perfdb_version="0.1.0", measured={"parsl": "2026.10.26+local; ls"})},
        {"code": Code(perfdb_version="0.1.0", measured={})},
    ],
    ids=["overrides", "a commit", "no release", "no version"],
)
def test_what_no_plain_command_says_is_only_reproduced(changes):
    record = make_record(**changes)
    assert f"perfdb reproduce {record.record_id}" in note(record)
    assert "perfdb run" not in note(record)


def test_a_configs_name_draws_no_link_no_picture_and_no_html():
    hostile = ConfigRef(name="<img src=x> ![x](http://x.example/y) | `a`", source_sha256="a" * 64, fingerprint="b" * 64)
    text = note(make_record(config=hostile)).split("To see it whole")[0]
    assert "<img" not in text
    assert "![" not in text
    assert "http://" not in text


def test_a_line_end_in_a_value_does_not_leave_the_code_block():
    text = note(make_record(spec={"resources": "a\n\n# A headline"}))
    assert not any(line.startswith("# A") for line in text.splitlines())
