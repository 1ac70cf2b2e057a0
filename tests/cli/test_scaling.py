"""`perfdb scaling analyze`: the seed runbook's key metrics from two sets of records, and nothing that they do not say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from perfdb.cli.scaling import app
from perfdb.errors import UsageError
from perfdb.record import Record
from tests.families.scaling.counted import Counted, record, up_to
from tests.registry.importers.sources import save

FINE = (128, 140, 256, 270, 384, 400)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PERFDB_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def spec(hosts: int | None = None, **changes: Any) -> dict[str, Any]:
    return {"mode": "ws", "shape": "burst", "reps": 3, "expected_hosts": hosts, **changes}


def single(root: Path, ceiling: int = 128, **changes: Any) -> Record:
    return record(root, up_to(ceiling, grid=FINE), **{"spec": spec(), **changes})


def multi(root: Path, hosts: int = 2, ceiling: int = 256, **changes: Any) -> Record:
    return record(root, up_to(ceiling, hosts=hosts, grid=FINE), **{"spec": spec(hosts), **changes})


def typed(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["analyze", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def document(*arguments: str) -> dict[str, Any]:
    found = json.loads(typed(*arguments, "--json"))
    assert isinstance(found, dict)
    return found


def refused(*arguments: str) -> str:
    with pytest.raises(UsageError) as told:
        CliRunner().invoke(app, ["analyze", *arguments], catch_exceptions=False)
    return str(told.value)


def test_two_phases_answer_every_key_metric(root: Path) -> None:
    one, two = single(root), multi(root)
    (against,) = document("--single", one.record_id, "--multi", two.record_id)["more_hosts"]
    found = against["factors"]["2"]
    assert (found["single_ceiling"], found["multi_ceiling"]) == (128, 256)
    assert (found["factor"], found["efficiency"], found["unique_hosts"]) == (2.0, 1.0, 2)
    assert (found["low"], found["high"]) == (2.0, 2.0)
    assert (found["efficiency_low"], found["efficiency_high"]) == (1.0, 1.0)
    assert found["efficiency_least"] < 1.0 < found["efficiency_most"]
    assert found["judgement"] == "near linear"
    text = typed("--single", one.record_id, "--multi", two.record_id)
    for words in (
        "single-node ceiling",
        "multi-node ceiling, 2 hosts",
        "scaling factor",
        "scaling efficiency",
        "unique hosts",
    ):
        assert words in text
    assert re.search(r"unique hosts +2 of 2", text)
    assert re.search(r"scaling efficiency +100 % +100 to 100 %", text)


def test_without_words_the_same_is_found(root: Path) -> None:
    single(root)
    multi(root)
    assert document()["more_hosts"][0]["factors"]["2"]["factor"] == 2.0


def test_what_is_named_on_a_side_is_taken_together(root: Path) -> None:
    ones, two = [single(root, 128), single(root, 140)], multi(root)
    found = document("--single", ones[0].record_id, "--single", ones[1].record_id, "--multi", two.record_id)
    (side,) = [run for run in found["runs"] if run["hosts"] == 1]
    assert sorted(side["records"]) == sorted(one.record_id for one in ones)
    assert len(side["ceilings"][0]["repetitions"]) == 6


def test_less_than_90_percent_says_to_look_at_the_balancer_and_more_than_100_is_suspicious(root: Path) -> None:
    one, poor, strange = single(root, 256), multi(root, ceiling=384), multi(root, ceiling=384)
    text = typed("--single", one.record_id, "--multi", poor.record_id)
    assert "look at the balancer" in text
    low = single(root, 128)
    told = typed("--single", low.record_id, "--multi", strange.record_id)
    assert "above 100 %: suspicious" in told
    assert "whether its search stopped early" in told


def test_three_numbers_of_hosts_give_the_law_with_its_intervals_and_peak(root: Path) -> None:
    # X(n) = 128 n / (1 + 0.1 (n - 1) + 0.02 n (n - 1)) is 225 at 2 and 290 at 3, whatever the grid makes of it.
    for hosts, ceiling in ((1, 128), (2, 225), (3, 290), (4, 327)):
        grid = (100, ceiling, ceiling + 1)
        record(root, up_to(ceiling, hosts=hosts, grid=grid), spec=spec(hosts))
    law = document()["more_hosts"][0]["law"]
    assert law["reason"] is None
    assert law["law"]["one"] == pytest.approx(128, rel=0.02)
    assert law["law"]["contention"] == pytest.approx(0.1, abs=0.03)
    assert law["law"]["coherency"] == pytest.approx(0.02, abs=0.01)
    assert law["peak_hosts"] == pytest.approx(((1 - law["law"]["contention"]) / law["law"]["coherency"]) ** 0.5)
    assert law["peak_load"] > 327
    assert law["peak_extrapolated"]
    assert set(law["contention_interval"]) == {"low", "high"}
    assert "most at" in typed()


def test_one_unique_host_behind_a_balancer_of_two_says_so(root: Path) -> None:
    one, two = single(root), record(root, up_to(256, hosts=1, grid=FINE), spec=spec(2))
    found = document("--single", one.record_id, "--multi", two.record_id)["more_hosts"][0]["factors"]["2"]
    assert not found["valid"]
    assert "1 of 2 hosts answered" in found["remarks"][0]


def test_how_many_hosts_served_can_be_said(root: Path) -> None:
    one, two = single(root), record(root, up_to(256, hosts=1, grid=FINE), spec=spec())
    assert "say how many with --hosts N" in refused("--single", one.record_id, "--multi", two.record_id)
    found = document("--single", one.record_id, "--multi", two.record_id, "--hosts", "2")
    assert not found["more_hosts"][0]["factors"]["2"]["valid"]


def test_sides_that_cannot_be_set_against_one_another_are_refused(root: Path) -> None:
    one, two = single(root), multi(root)
    assert "both of them" in refused("--single", one.record_id)
    assert "both of them" in refused(one.record_id, "--single", one.record_id, "--multi", two.record_id)
    assert "2 hosts served it" in refused("--single", two.record_id, "--multi", two.record_id)
    other = multi(root, spec=spec(2, mode="http"))
    assert "not loaded alike" in refused("--single", one.record_id, "--multi", other.record_id)
    assert "name them with it" in refused("--hosts", "2")


def test_invalid_records_are_left_out_and_named(root: Path) -> None:
    good, bad = single(root), multi(root, status="invalid", reason="a check failed")
    found = document()
    assert [run["records"] for run in found["runs"]] == [[good.record_id]]
    assert found["left_out"] == {"invalid": [bad.record_id]}
    assert f"left out, invalid: {bad.record_id}" in typed()


def test_samples_that_contradict_the_metrics_count_nowhere(root: Path) -> None:
    honest = single(root)
    forged = record(root, up_to(400, grid=FINE), metrics=honest.metrics, spec=spec())
    assert document()["left_out"] == {"samples and metrics contradict one another": [forged.record_id]}


@pytest.mark.parametrize("chart", ["throughput", "latency", "success", "p99", "hosts"])
def test_each_picture_of_one_run_is_drawn_into_a_file(root: Path, chart: str) -> None:
    two = multi(root)
    typed(two.record_id, "--chart", chart, "-o", "drawn.svg")
    assert two.record_id in (root / "drawn.svg").read_text()


def test_the_curve_is_drawn_of_one_host_and_several(root: Path) -> None:
    one, two = single(root), multi(root)
    typed("--single", one.record_id, "--multi", two.record_id, "-o", "curve.svg")
    assert "Ceiling against hosts" in (root / "curve.svg").read_text()


def test_latency_is_drawn_of_the_wait_that_is_asked_for(root: Path) -> None:
    one = record(root, [*up_to(128), *up_to(128, wait_s=5.0)], spec=spec())
    typed(one.record_id, "--chart", "latency", "--wait", "5", "-o", "drawn.svg")
    assert "wait 5 s" in (root / "drawn.svg").read_text()
    assert "wait 7 s" in refused(one.record_id, "--chart", "latency", "--wait", "7", "-o", "drawn.svg")


def test_a_picture_that_there_is_nothing_for_is_refused_with_what_it_takes(root: Path) -> None:
    one = record(root, [Counted(32, 1.0)], spec=spec())
    assert "takes two loads of one wait" in refused(one.record_id, "--chart", "latency", "-o", "a.svg")
    assert "on one host and on several" in refused(one.record_id, "-o", "a.svg")
    assert "such as -o figure.svg" in refused(one.record_id, "--chart", "hosts")
    assert "ends in .svg" in refused(one.record_id, "-o", "a.doc")
    multi(root)
    assert "is of one run, and these are 2" in refused("--chart", "hosts", "-o", "a.svg")
    assert not (root / "a.svg").exists()


def test_at_a_barrier_latencies_are_of_steps_and_it_says_so(root: Path) -> None:
    loads = record(root, up_to(128), spec=spec(shape="barrier"))
    assert "latencies are of steps that succeeded" in typed(loads.record_id)
    # The samples here tell of whole sessions alone: of steps nothing is known, so no load passed.
    assert document(loads.record_id)["runs"][0]["loads"][0]["p99_s"] is None


# A runbook's own results, as they are imported.
def results(folder: Path, hosts: int, ceiling: int, day: int) -> Path:
    folder.mkdir(parents=True)
    columns = (
        "mode,url,num_requests,batch_size,wait_seconds,repetition,timestamp,successful,failed,total_p99,unique_hosts"
    )
    rows = [
        f"ws,http://node:8000,{load},{load},1.0,{repetition},2025-08-{day}T10:{place:02}:00,"
        + (f"{load},0,1.5,{hosts}" if load <= ceiling else f"0,{load},,0")
        for place, load in enumerate((512, 1024, 2048))
        for repetition in (1, 2, 3)
    ]
    (folder / "summary.csv").write_text("\n".join([columns, *rows, ""]))
    return folder


def test_imported_results_have_the_key_metrics_too_and_are_labelled_and_never_pooled_with_ours(root: Path) -> None:
    # Both folders are called by their day, as the runbook has it, and the service has one pseudonym in both.
    save(root / "mlruns", "openenv", results(root / "single" / "2025-08-28", 1, 512, 28))
    save(root / "mlruns", "openenv", results(root / "multi" / "2025-08-28", 2, 1024, 29))
    ours = single(root)
    found = document()
    (theirs,) = found["more_hosts"]
    assert theirs["kind"].startswith("imported (openenv)")
    assert theirs["factors"]["2"]["factor"] == 2.0
    # The load that nothing came through is a record that failed: it bounds the ceiling.
    assert theirs["sides"]["1"]["ceiling"]["bracket"] == {"passed": 512.0, "failed": 1024.0}
    assert [run["imported"] for run in found["runs"]] == [False, True, True]
    assert found["left_out"] == {}
    stranger = found["runs"][2]["records"][0]
    assert "not loaded alike" in refused("--single", ours.record_id, "--multi", stranger)
