"""`perfdb schedulers table`: others' tables to the last digit, ours beside them and never among them, and what to mind."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from perfdb.cli.schedulers import app
from perfdb.errors import UsageError
from perfdb.families.schedulers.outcome import ArmRun
from perfdb.families.schedulers.summarise import summarise
from perfdb.record import Check
from tests.families.schedulers.done import arm, job, samples_of
from tests.registry.importers.sources import SHARED, save, write_log
from tests.report.charts.test_drawing import saved

TABLE = """,ranks,size,x,y,z,experiment,scheduler,wall_time,total_time
0,8,4,8,8,8,size-4-8-8-8,fluence,144.0,200.0
1,8,4,8,8,8,size-4-8-8-8,fluence,145.0,400.000001
2,8,4,8,8,8,size-4-8-8-8,default,143.0,150.0
3,8,4,8,8,8,size-4-8-8-8,fluence,146.0,700.0
"""
REAL = SHARED / "data" / "fluence"
SEED = sorted((SHARED / "seeds").glob("004_*.txt"))


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PERFDB_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def small_table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The records of a small table."""
    folder = tmp_path_factory.mktemp("imported")
    (folder / "lammps-times.csv").write_text(TABLE)
    import_table(folder, folder / "lammps-times.csv")
    return folder / "mlruns"


@pytest.fixture
def imported(root: Path, small_table: Path) -> Path:
    shutil.copytree(small_table, root / "mlruns")
    return root


def import_table(root: Path, source: Path) -> None:
    save(root / "mlruns", "fluence", source, date=dt.date(2024, 2, 1), experiment="run6")


def measure(root: Path, *runs: ArmRun, names: dict[int, str], **changes: Any) -> str:
    in_turns = sorted(runs, key=lambda run: (run.iteration, run.arm if run.iteration % 2 else -run.arm))
    columns = samples_of(*in_turns, names=names)
    spec = {"job": "sleep", "nodes": 4, "iters": in_turns[-1].iteration, "arms": ",".join(names.values())}
    fields = {"family": "schedulers", "spec": spec, "metrics": summarise(columns)}
    record, _ = saved(root, columns, **{**fields, **changes})
    return record.record_id


def table(*words: str) -> str:
    result = CliRunner().invoke(app, ["table", *words], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def document(*words: str) -> dict[str, Any]:
    found = json.loads(table(*words, "--json"))
    assert isinstance(found, dict)
    return found


def test_a_table_shows_mean_and_deviation_to_six_decimals_and_jobs_that_are_missing(imported: Path) -> None:
    lines = [re.split(r"\s{2,}", line.strip()) for line in table().splitlines()]
    assert ["imported: lammps-times.csv, 2024-02-01; total_time_s is submission to end"] in lines
    assert ["default", "size-4-8-8-8", "150.000000", "-", "1"] in lines
    assert ["fluence", "size-4-8-8-8", "433.333334", "251.661148", "3"] in lines
    assert ["1 of 3 jobs: size-4-8-8-8 lacks 2 of 3"] in lines


@pytest.mark.skipif(not (REAL / "lammps-times.csv").exists() or not SEED, reason=f"{REAL} is not beside the checkout")
def test_the_published_table_comes_out_to_the_last_digit(root: Path) -> None:
    import_table(root, REAL / "lammps-times.csv")
    cells = {(cell["scheduler"], cell["experiment"]): cell for cell in document()["cells"]}
    text = SEED[0].read_text()
    blocks = text[text.index("scheduler         experiment") :].split("Name: total_time")[:2]
    for block, what in zip(blocks, ("mean", "sd"), strict=True):
        scheduler, told = "", 0
        for words in map(str.split, block.splitlines()):
            if not words or not re.fullmatch(r"\d+\.\d{6}", words[-1]):
                continue
            scheduler = words[0] if len(words) == 3 else scheduler
            assert f"{cells[scheduler, words[-2]][what]:.6f}" == words[-1]
            told += 1
        assert told == 9


@pytest.mark.skipif(not (REAL / "run10").exists(), reason=f"{REAL} is not beside the checkout")
def test_what_is_wrong_with_published_comparisons_is_found(root: Path) -> None:
    import_table(root, REAL / "lammps-times.csv")
    save(root / "mlruns", "fluence", REAL / "run10", experiment="run10")
    found = {(each["name"], *each["of"]) for each in document()["warnings"]}
    assert found == {
        ("spliced_arm", "default"),
        ("unequal_load", "fluence-original", "default"),
        ("missing_jobs", "default"),
        ("missing_jobs", "fluence-original"),
        ("dropped_clogs", "default"),
        ("dropped_clogs", "fluence-original"),
        ("arms_apart", "default", "kueue"),
        ("changed_definition", "default"),
        ("changed_definition", "kueue"),
        ("instants_unknown", "default", "fluence", "fluence-original"),
    }


def test_logs_whose_total_time_is_something_else_stand_apart_and_say_so(imported: Path) -> None:
    for iteration, second in ((0, 40), (1, 45)):
        write_log(imported / "run", f"kueue-batch-0-iter-{iteration}-size-4-8-8-8", f"06:59:{second}.000000")
    save(imported / "mlruns", "fluence", imported / "run")
    found = document()
    assert {cell["definition"] for cell in found["cells"]} == {"submission to end", "first seen running to end"}
    [changed] = [each for each in found["warnings"] if each["name"] == "changed_definition"]
    assert changed["evidence"] == (
        "total_time is first seen running to end: 250 ms over 2 jobs; from submission to end it is 12.8 s"
    )


def test_our_arms_stand_in_a_table_of_their_own_and_simulated_ones_say_that_they_are(imported: Path) -> None:
    runs = [
        arm(job(1, 0, 0, 10 + late), job(2, 0, 10, 20 + late), place=place, iteration=iteration)
        for iteration, late in ((1, 0), (2, 2))
        for place in (1, 2)
    ]
    record_id = measure(imported, *runs, names={1: "slurm:backfill", 2: "simulated:easy"})
    cells = document()["cells"]
    assert {(cell["scheduler"], cell["made"]) for cell in cells} == {
        ("default", "imported"),
        ("fluence", "imported"),
        ("slurm:backfill", "measured"),
        ("simulated:easy", "simulated"),
    }
    [ours] = [cell for cell in cells if cell["made"] == "measured"]
    # 10, 20, 12 and 22 s.
    assert (ours["mean"], ours["jobs"], ours["records"]) == (16, 4, [record_id])
    heads = [line.partition(":")[0] for line in table().splitlines() if "total_time_s is" in line]
    assert sorted(heads) == ["imported", "measured", "simulated"]


def test_an_arm_that_clogged_stays_in_the_table_without_a_mean(root: Path) -> None:
    measure(root, arm(job(1, 0, 0, 10), job(2, 0, watched=300)), names={1: "slurm:builtin"})
    [cell] = document()["cells"]
    assert (cell["jobs"], cell["without_value"], cell["mean"]) == (2, 1, None)


def test_a_record_that_is_invalid_is_left_out_and_named(imported: Path) -> None:
    failed = (Check(name="equal_load", passed=False, detail="job 2 came late"),)
    record_id = measure(
        imported, arm(job(1, 0, 0, 10)), names={1: "slurm:builtin"}, status="invalid", reason="unequal", checks=failed
    )
    found = document()
    assert {cell["made"] for cell in found["cells"]} == {"imported"}
    assert found["left_out"] == {"invalid": [record_id]}


def test_a_simulated_arm_by_a_measured_ones_name_is_left_out_and_named(imported: Path) -> None:
    spec = {"arms": "simulated:fifo", "iters": 1, "nodes": 4, "job": "sleep"}
    record_id = measure(imported, arm(job(1, 0, 0, 10)), names={1: "slurm:backfill"}, spec=spec)
    found = document()
    assert {cell["made"] for cell in found["cells"]} == {"imported"}
    assert found["left_out"] == {"samples and record contradict one another": [record_id]}


def test_only_the_experiment_that_was_asked_for_is_shown(imported: Path) -> None:
    measure(imported, arm(job(1, 0, 0, 10)), names={1: "mini-slurm"})
    assert {cell["made"] for cell in document("--experiment", "run6")["cells"]} == {"imported"}
    with pytest.raises(UsageError, match="perfdb list --columns record_id,experiment"):
        table("--experiment", "run7")


def test_another_time_and_another_grouping_can_be_asked_for(imported: Path) -> None:
    cells = document("--metric", "wall_time_s", "--by", "experiment")["cells"]
    assert [(cell["experiment"], cell["mean"], cell["jobs"]) for cell in cells] == [("size-4-8-8-8", 144.5, 4)]
    assert "scheduler" not in cells[0]


def test_what_cannot_be_asked_for_is_refused_with_what_can(imported: Path) -> None:
    for words, said in (
        (("--metric", "total"), "Choose with --metric: total_time_s, wall_time_s"),
        (("--by", "size"), "--by scheduler,experiment"),
        (("--by", ""), "--by scheduler,experiment"),
        (("--experiment", "a b"), "perfdb list --columns experiment"),
    ):
        with pytest.raises(UsageError, match=re.escape(said)):
            table(*words)


def test_a_figure_is_drawn_beside_the_table_that_is_printed(imported: Path) -> None:
    assert "433.333334" in table("-o", "times.svg")
    drawn = (imported / "times.svg").read_text()
    for words in ("Submission to end, by scheduler and experiment", "size-4-8-8-8", "fluence", "lammps-times.csv"):
        assert words in drawn
    table("--by", "scheduler", "--metric", "wall_time_s", "--title", "Ours", "-o", "times.png")
    assert (imported / "times.png").read_bytes().startswith(b"\x89PNG")


def test_a_figure_of_two_runs_and_a_title_of_none_are_refused(imported: Path) -> None:
    record_id = measure(imported, arm(job(1, 0, 0, 10)), names={1: "mini-slurm"})
    with pytest.raises(UsageError, match=record_id):
        table("-o", "times.svg")
    assert not (imported / "times.svg").exists()
    for words, said in ((("--title", "Ours"), "-o figure.svg"), (("-o", "times.txt"), "ends in .svg")):
        with pytest.raises(UsageError, match=re.escape(said)):
            table(*words)


def test_where_nothing_was_measured_a_first_run_is_named(root: Path) -> None:
    with pytest.raises(UsageError, match="perfdb run schedulers"):
        table()


def test_a_query_that_no_record_of_the_family_matches_is_told_in_words(root: Path) -> None:
    measure(root, arm(job(1, 0, 0, 10)), names={1: "mini-slurm"})
    with pytest.raises(UsageError, match="no record of the family schedulers matches 'origin == imported'"):
        table("origin == imported")
