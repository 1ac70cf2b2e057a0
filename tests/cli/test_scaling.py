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
    assert (found["single_ceiling"], found["multi_ceiling"], found["expected_ceiling"]) == (128, 256, 256)
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
    # Repetitions that all end at the same loads say nothing of what lies between those: 256 / 140 to 270 / 128, halved.
    assert re.search(r"scaling factor +2 +1\.83 to 2\.11 \(repetitions and gaps between loads\)", text)
    assert re.search(r"scaling efficiency +100 % +91\.4 to 105 % ", text)


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


def test_other_paths_got_and_clients_on_nodes_are_not_loaded_alike(root: Path) -> None:
    got = [multi(root, spec=spec(2, mode="get"), params={"service.path": path}) for path in ("/health", "/stats")]
    one = single(root, spec=spec(mode="get"), params={"service.path": "/health"})
    assert document("--single", one.record_id, "--multi", got[0].record_id)["more_hosts"]
    assert "get /stats" in refused("--single", one.record_id, "--multi", got[1].record_id)
    far = multi(root, spec=spec(2, clients_on="slurm_hopper"))
    assert "from nodes of slurm_hopper on" in refused("--single", single(root).record_id, "--multi", far.record_id)


class Spoiled(Counted):
    """One that says nothing of the service."""

    def rows(self) -> list[tuple[object, ...]]:
        return [*super().rows(), (self.repetition, 1, self.wait_s, self.load, "spoiled", "client", None, 1)]


def test_loads_that_say_nothing_of_the_service_are_told_as_not_counted(root: Path) -> None:
    one = record(root, [Counted(32, 1.0), Spoiled(64, 9.0)], spec=spec())
    assert re.search(r"64 .* 0 of 0, 1 not counted$", typed(one.record_id), re.M)
    assert document(one.record_id)["runs"][0]["ceilings"][0]["bracket"] == {"passed": 32.0, "failed": None}


def test_a_run_of_which_no_load_counts_says_so_and_has_no_empty_table(root: Path) -> None:
    text = typed(record(root, [Spoiled(64, 9.0)], spec=spec()).record_id)
    assert "no ceiling, for no load counts" in text
    assert "p99 there" not in text


def test_records_that_were_judged_apart_are_not_taken_together_and_it_says_which(root: Path) -> None:
    one, two = single(root), multi(root)
    strict = multi(root, spec=spec(2, p99_factor=1.1))
    told = refused("--single", one.record_id, "--multi", two.record_id, "--multi", strict.record_id)
    assert "were judged apart" in told
    assert "p99 below 3 s" in told
    assert "p99 below 1.65 s" in told
    assert two.record_id in told
    assert strict.record_id in told


def test_what_is_linear_is_at_least_that_where_one_host_may_bear_more(root: Path) -> None:
    one, two = single(root, 400), multi(root)
    text = typed("--single", one.record_id, "--multi", two.record_id)
    assert re.search(r"2 hosts +█+ +256 +linear: at least 800$", text, re.M)
    (against,) = document("--single", one.record_id, "--multi", two.record_id)["more_hosts"]
    assert against["factors"]["2"]["expected_ceiling"] == 800


def test_beside_each_side_stands_its_service_where_they_are_not_one(root: Path) -> None:
    one, two = single(root), multi(root)
    assert re.search(
        r"2 hosts +█+ +256 +linear: 256$", typed("--single", one.record_id, "--multi", two.record_id), re.M
    )
    balancer = multi(
        root, config=one.config.model_copy(update={"name": "service-balancer-8000"}) if one.config else None
    )
    text = typed("--single", one.record_id, "--multi", balancer.record_id)
    assert re.search(r"2 hosts +█+ +256 +linear: 256 +service-balancer-8000$", text, re.M)
    (against,) = document("--single", one.record_id, "--multi", balancer.record_id)["more_hosts"]
    assert against["sides"]["2"]["services"] == ["service-balancer-8000"]


def test_where_no_ceiling_is_known_no_curve_is_drawn_and_it_says_what_to_try(root: Path) -> None:
    one, two = single(root, 1), multi(root, ceiling=1)
    told = refused("--single", one.record_id, "--multi", two.record_id, "-o", "a.svg")
    assert "already the smallest load failed" in told
    assert not (root / "a.svg").exists()


def test_invalid_records_are_left_out_and_named(root: Path) -> None:
    good, bad = single(root), multi(root, status="invalid", reason="a check failed")
    found = document()
    assert [run["records"] for run in found["runs"]] == [[good.record_id]]
    assert found["left_out"] == {"invalid": [bad.record_id]}
    assert f"left out, invalid: {bad.record_id}" in typed()


def test_samples_that_contradict_the_metrics_count_nowhere(root: Path) -> None:
    honest = single(root)
    forged = record(root, up_to(400, grid=FINE), metrics=honest.metrics, spec=spec())
    assert document()["left_out"] == {"samples and record contradict one another": [forged.record_id]}


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
