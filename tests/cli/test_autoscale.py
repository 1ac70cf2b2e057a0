"""`perfdb autoscale` pools only what is alike and counts, says what is measured and what is given, and invents nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from perfdb.cli.autoscale import app
from perfdb.errors import UsageError
from perfdb.families.autoscale.summarise import summarise
from perfdb.record import Environment, Host, Metric
from perfdb.registry.samples import to_parquet
from tests.families.autoscale.analysis.told import Rounds, columns_of, started
from tests.report.charts.test_drawing import saved
from tests.tracking.records import make_record

COLD: Rounds = {("cold", n): started(10.0 + n, 20.0 + n) for n in range(1, 6)}
WARM: Rounds = {("warm", n): started(2.0, 3.0) for n in range(1, 6)}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PERFDB_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def record(root: Path, rounds: Rounds | None = None, **changes: Any):
    columns = columns_of(rounds or {**COLD, **WARM})
    fields = {
        "family": "autoscale",
        "params": {"provider.cores_per_node": 8},
        "spec": {"tasks": 12},
        "metrics": summarise(columns),
    }
    return saved(root, columns, **{**fields, **changes})


def typed(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def document(*arguments: str) -> dict[str, Any]:
    found = json.loads(typed(*arguments, "--json"))
    assert isinstance(found, dict)
    return found


def refused(*arguments: str) -> str:
    with pytest.raises(UsageError) as told:
        CliRunner().invoke(app, arguments, catch_exceptions=False)
    return str(told.value)


def test_alike_records_are_pooled_however_many_rounds_each_has(root):
    one, _ = record(root, spec={"tasks": 12, "reps": 5})
    other, _ = record(root, {("cold", 1): started(30.0, 40.0)}, spec={"tasks": 12, "reps": 1, "acquire_timeout_s": 9})
    (pool,) = document("analyze")["pools"]
    assert sorted(pool["records"]) == sorted([one.record_id, other.record_id])
    cold, warm = pool["batches"]
    assert (cold["kind"], cold["rounds"], warm["kind"], warm["rounds"]) == ("cold", 6, "warm", 5)
    assert [(s["what"], s["n"], s["max"]) for s in cold["acquisition"]] == [
        ("all nodes", 12, 40.0),
        ("node 1", 6, 30.0),
        ("node 2", 6, 40.0),
    ]


def test_unlike_records_stand_apart(root):
    record(root, spec={"tasks": 12})
    record(root, spec={"tasks": 99})
    record(root, environment=Environment(machine="hopper"))
    pools = document("analyze")["pools"]
    assert [len(pool["records"]) for pool in pools] == [1, 1, 1]
    assert len({pool["name"] for pool in pools}) == 3
    assert sum("tasks 99" in pool["name"] for pool in pools) == 1


def test_a_record_whose_samples_say_something_else_than_its_metrics_counts_nowhere(root):
    honest, _ = record(root)
    forged, _ = record(root, {("cold", 1): started(-5.0)}, metrics=honest.metrics)
    found = document("analyze")
    assert [pool["records"] for pool in found["pools"]] == [[honest.record_id]]
    assert found["left_out"] == {"samples and record contradict one another": [forged.record_id]}


def test_the_blocks_that_never_came_of_records_left_out_are_counted(root):
    record(root)
    lost = Metric(name="censored_blocks", unit="blocks", direction="lower", values=(0.0, 2.0))
    warm = Metric(name="warm_censored_blocks", unit="blocks", direction="lower", values=(1.0,))
    bad, _ = record(root, status="invalid", reason="a check failed", metrics=(lost, warm))
    other, _ = record(root, status="invalid", reason="a check failed")
    assert document("analyze")["never_came"] == {bad.record_id: 3}
    (line,) = [line for line in typed("analyze").splitlines() if line.startswith("left out, invalid")]
    assert f"{bad.record_id} (3 blocks never came)" in line
    assert f"{other.record_id} (" not in line


def test_records_that_do_not_count_are_left_out_and_named(root):
    good, _ = record(root)
    bad, _ = record(root, {("cold", 1): started(500.0)}, status="invalid", reason="a check failed")
    altered, folder = record(root, {("cold", 1): started(600.0)})
    (folder / "samples.parquet").write_bytes(to_parquet(columns_of({("cold", 1): started(700.0)})))
    found = document("analyze")
    assert found["left_out"] == {
        "invalid": [bad.record_id],
        "without samples that can be read": [altered.record_id],
    }
    assert [pool["records"] for pool in found["pools"]] == [[good.record_id]]
    assert bad.record_id in typed("analyze")
    assert bad.record_id in refused("allocation", bad.record_id)


def test_what_people_read_names_the_methods_and_lacks_no_kind(root):
    record(root)
    told = typed("analyze")
    assert "cold, 5 rounds" in told and "warm, 5 rounds" in told
    assert "Student's t" in told and "order statistics" in told
    assert "nan" not in told


def test_measured_nodes_and_a_given_platform_say_which_is_which(root):
    one, _ = record(root)
    found = document("allocation", one.record_id, "--seconds-per-core", "2.5", "--given-by", "a paper")
    nodes, serverless = found["ways"]
    assert (nodes["source"], nodes["kind"], nodes["records"], nodes["round_count"]) == (
        "measured",
        "cold",
        [one.record_id],
        5,
    )
    assert (nodes["at_s"], nodes["cores"]) == ([13.0, 23.0], [8, 16])
    assert (nodes["fastest"]["at_s"], nodes["slowest"]["at_s"]) == ([11.0, 21.0], [15.0, 25.0])
    assert (serverless["source"], serverless["given_by"], serverless["cores"][-1]) == ("given", "a paper", 32)
    (against,) = found["against"]
    # 2.5 s a core: 15 s at the sixth against 13; 22.5 s at the ninth against 23; 25 s at the tenth against 23.
    assert [(c["faster"], c["from_cores"]) for c in against["by_cores"]] == [
        ("serverless", 1),
        ("nodes", 6),
        ("serverless", 9),
        ("nodes", 10),
    ]
    # At 11 s the fifth core is the first to be later; at 15 s the seventh.
    nodes_first = next(r for r in against["over_rounds"] if r["faster"] == "nodes")
    assert nodes_first == {"faster": "nodes", "least_cores": 5, "most_cores": 7, "rounds": 5, "of": 5}
    assert against["within_cores"] == 16
    assert found["together"] == {"cores": 16, "at_s": {"cold nodes": 23.0, "serverless": 40.0}}


def test_what_is_given_needs_no_record_and_takes_none(root):
    record(root)
    found = document("allocation", "--nodes-given", "27.87:8", "--asked", "at-once", "--seconds-per-core", "2.5")
    assert [way["source"] for way in found["ways"]] == ["given", "given"]
    (against,) = found["against"]
    assert [(c["faster"], c["from_cores"]) for c in against["by_cores"]] == [("serverless", 1), ("nodes", 12)]
    found = document("allocation", "--nodes-given", "27.87:8", "--asked", "in-turn", "--seconds-per-core", "2.5")
    assert [(c["faster"], c["from_cores"]) for c in found["against"][0]["by_cores"]] == [("serverless", 1)]
    assert "given nodes: never first within 64 cores" in typed(
        "allocation", "--nodes-given", "27.87:8", "--asked", "in-turn", "--seconds-per-core", "2.5"
    )


def test_how_given_nodes_are_asked_for_must_be_said(root):
    assert "--asked at-once" in refused("allocation", "--nodes-given", "27.87:8", "--seconds-per-core", "2.5")


def test_nothing_is_assumed_of_a_serverless_platform(root):
    one, _ = record(root)
    found = document("allocation", one.record_id)
    assert [way["way"] for way in found["ways"]] == ["nodes"]
    assert found["against"] == []
    assert "--seconds-per-core S" in typed("allocation", one.record_id)


def test_a_platform_that_is_given_alone_is_drawn_alone(root):
    record(root)
    told = typed("coldstart", "--seconds-per-core", "1", "--cold-start", "2")
    assert "name records" in told
    assert "cold nodes" not in told


def test_cold_starts_show_nodes_cold_and_warm_and_what_overlap_saves(root):
    one, _ = record(root)
    (root / "p.toml").write_text('given_by = "a page"\nseconds_per_core = 0.5\ncold_start_s = 4\nconcurrency = 2\n')
    found = document("coldstart", one.record_id, "--serverless", "p.toml", "--cores", "4")
    assert [way["name"] for way in found["ways"]] == [
        "cold nodes",
        "warm nodes",
        "serverless in turn",
        "serverless overlapping",
        "serverless kept warm",
    ]
    # In turn 0.5 + 4 * 4; two at a time 0.5 and 1.0 granted, ready at 4.5, 5, 8.5, 9; kept warm 4 * 0.5.
    assert found["together"] == {
        "cores": 4,
        "at_s": {
            "cold nodes": 13.0,
            "warm nodes": 2.0,
            "serverless in turn": 16.5,
            "serverless overlapping": 9.0,
            "serverless kept warm": 2.0,
        },
    }


@pytest.mark.parametrize("command", ["allocation", "coldstart"])
def test_what_is_drawn_goes_to_twice_the_cores_that_were_measured(root, command):
    one, _ = record(root)
    given = ("--seconds-per-core", "1", "--cold-start", "2", "--nodes-given", "27.87:8", "--asked", "at-once")
    assert document(command, one.record_id, *given)["asked_cores"] == 32
    assert document(command, one.record_id, *given, "--cores", "50")["asked_cores"] == 50
    assert document(command, *given)["asked_cores"] == 64
    few, _ = record(root, {("cold", 1): started(5.0)}, params={"provider.cores_per_node": 1})
    assert document(command, few.record_id, *given)["asked_cores"] == 4
    ways = {way["name"]: way for way in document(command, few.record_id, *given)["ways"]}
    assert max(ways["given nodes"]["cores"]) >= 4


def test_cold_starts_are_set_beside_nodes_that_are_given_too(root):
    record(root)
    asked = ("--nodes-given", "27.87:8", "--asked", "in-turn", "--seconds-per-core", "1", "--cold-start", "2")
    found = document("coldstart", *asked, "--cores", "16")
    assert [(way["name"], way["source"]) for way in found["ways"]][:2] == [
        ("given nodes", "given"),
        ("serverless in turn", "given"),
    ]
    assert found["ways"][0]["at_s"] == [27.87, 55.74]
    assert [way["name"] for way in document("coldstart", *asked[:4])["ways"]] == ["given nodes"]


@pytest.mark.parametrize("command", ["allocation", "coldstart"])
def test_the_example_of_a_serverless_platform_serves_both_commands(root, command):
    example = Path(__file__).parents[2] / "docs" / "how-to" / "serverless-example.toml"
    record(root)
    found = document(command, "--serverless", str(example), "--cores", "4")
    given = [way["given_by"] for way in found["ways"] if way["source"] == "given"]
    assert given and all("made-up" in whose for whose in given)


def test_a_platform_without_cold_starts_has_none_to_show(root):
    assert "cold_start_s" in refused("coldstart", "--seconds-per-core", "2.5")


def test_the_cores_of_a_node_are_never_guessed(root):
    one, _ = record(root, params={})
    assert "--cores-per-node" in refused("allocation", one.record_id)
    found = document("allocation", one.record_id, "--cores-per-node", "4")
    assert (found["ways"][0]["cores"], found["ways"][0]["cores_per_node_by"]) == ([4, 8], "given")
    assert "4 cores a node as given" in found["ways"][0]["label"]
    workers = (Host(pseudonym="0" * 12, cpu_usable=2), Host(pseudonym="1" * 12, cpu_usable=2))
    told, _ = record(root, params={}, environment=Environment(machine="m", scheduler="slurm", workers=workers))
    assert document("allocation", told.record_id)["ways"][0]["cores"] == [2, 4]
    # Pools of one host share its cores.
    alone, _ = record(root, params={}, environment=Environment(machine="n", workers=workers[:1]))
    assert "--cores-per-node" in refused("allocation", alone.record_id)


def test_cores_that_are_given_in_place_of_the_records_own_are_labelled_so(root):
    one, _ = record(root)
    (way,) = document("allocation", one.record_id, "--cores-per-node", "16")["ways"]
    assert (way["cores"], way["cores_per_node_by"]) == ([16, 32], "given")
    assert way["label"].startswith("cold nodes, 16 cores a node as given (measured")
    for same in (("--cores-per-node", "8"), ()):
        assert "as given" not in document("allocation", one.record_id, *same)["ways"][0]["label"]


def test_what_a_legend_says_first_is_what_a_reader_needs(root):
    one, _ = record(root)
    ways = document("allocation", one.record_id, "--seconds-per-core", "2.5", "--given-by", "a paper")["ways"]
    assert [way["label"] for way in ways] == [
        f"cold nodes, 8 cores a node (measured, median of 5 rounds, record {one.record_id[:8]}): local_htex on laptop-7f3a",
        "serverless, 2.5 s per core (given by a paper)",
    ]
    typed("allocation", one.record_id, "-o", "out.html")
    series = re.findall(r'"s":"([^"]*)"', (root / "out.html").read_text())
    assert {len(each) < 90 for each in series} == {True}


def test_where_rounds_differ_each_is_told_by_itself(root):
    two, _ = record(root, {("cold", 1): started(11.0, 21.0), ("cold", 2): started(16.0, 26.0)})
    told = typed("allocation", two.record_id, "--seconds-per-core", "2.5")
    assert "in each of 2 rounds: from 5 cores on in one, from 7 in the other" in told
    many, _ = record(root, spec={"tasks": 13})
    told = typed("allocation", many.record_id, "--seconds-per-core", "2.5")
    assert "in each of 5 rounds: from between 5 and 7 cores on" in told
    assert "in each of 5 rounds from 1 core on" in told


def test_one_of_several_rings_at_one_height_has_the_words(root):
    record(root, spec={"tasks": 12})
    record(root, spec={"tasks": 13})
    typed("allocation", "--seconds-per-core", "2.5", "-o", "out.html")
    drawn = (root / "out.html").read_text()
    rings, before, after = (re.findall(rf'"{name}":(\[[^]]*\])', drawn)[-1] for name in ("marks", "before", "after"))
    assert [mark["y"] for mark in json.loads(rings)] == [6, 9, 10, 6, 9, 10]
    assert [mark["told"] for mark in [*json.loads(before), *json.loads(after)]] == ["6 cores"]


def test_a_figure_is_drawn_and_says_what_was_measured_and_what_given(root):
    one, _ = record(root)
    typed("allocation", one.record_id, "--seconds-per-core", "2.5", "--given-by", "a <b>paper", "-o", "out.svg")
    drawn = (root / "out.svg").read_text()
    assert f"measured, median of 5 rounds, record {one.record_id[:8]}" in drawn
    assert f"Measured in {one.record_id}, local_htex on laptop-7f3a." in drawn
    assert "given by a &lt;b>paper" in drawn or "given by a &lt;b&gt;paper" in drawn
    typed("allocation", one.record_id, "-o", "out.html")
    band = re.findall(r'"low":(\d+),"high":(\d+)', (root / "out.html").read_text())
    assert len(band) == 5 and all(int(low) <= int(high) for low, high in band)
    typed("coldstart", one.record_id, "-o", "out.png")
    assert (root / "out.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["analyze"], "perfdb run autoscale local_htex --rounds 1"),
        (["allocation", "-o", "x.gif"], r".svg"),
        (["allocation", "--nodes-given", "27.87", "--asked", "at-once"], "27.87:8"),
        (["allocation", "--nodes-given", "nan:8", "--asked", "at-once"], "27.87:8"),
        (["allocation", "--nodes-given", "-5:8", "--asked", "at-once"], "27.87:8"),
        (["allocation", "--nodes-given", "5:0", "--asked", "at-once"], "27.87:8"),
        (["allocation", "--asked", "at-once"], "--nodes-given"),
        (["allocation", "--seconds-per-core", "0"], "no time at all"),
        (["allocation", "--serverless", "missing.toml"], "missing.toml"),
        (["allocation", "--serverless", "missing.toml", "--cold-start", "1"], "choose either"),
        (["coldstart", "--cold-start", "1"], "--seconds-per-core"),
    ],
)
def test_what_cannot_be_is_told_with_what_can(root, arguments, words):
    assert words in refused(*arguments)


def test_a_record_of_another_family_is_none_to_analyze(root):
    record(root)
    other = make_record()
    assert other.family == "throughput"
    strange, _ = saved(root, columns_of({("cold", 1): started(1.0)}))
    assert "autoscale" in refused("analyze", strange.record_id)
