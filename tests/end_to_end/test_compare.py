"""`perfdb compare` as it is typed, over records that are there; and over others' real results where they lie beside."""

from __future__ import annotations

import json
import statistics
from pathlib import Path

import pytest

from perfdb.registry import Registry
from tests.compare.made import runs
from tests.end_to_end.conftest import CHECKOUT, Home

OLD, NEW = "2025.8.4", "2025.11.3"
TABLE = CHECKOUT.parent / "shared" / "data" / "fluence" / "lammps-times.csv"
ARMS = [f"param.scheduler == {name}" for name in ("default", "fluence", "fluence-original")]


def test_a_check_in_ci_fails_on_what_is_worse_and_passes_what_is_not(home: Home) -> None:
    for record in [*runs(700), *runs(630, parsl=NEW)]:
        Registry(home.root / "mlruns").save(record, {})

    worse = home.perfdb("compare", OLD, NEW, "--fail-on", "worse")
    better = home.perfdb("compare", NEW, OLD, "--fail-on", "worse", "--json")

    assert worse.returncode == 6, worse.stderr
    assert "worse (higher is better)" in worse.stdout
    assert better.returncode == 0, better.stderr
    assert json.loads(better.stdout)["cases"][0]["metrics"][0]["verdict"] == "better"


def test_unlike_runs_end_with_wrong_usage_and_what_to_type(home: Home) -> None:
    for record in [*runs(700, scheduler="slurm"), *runs(630, machine="birch", scheduler="kubernetes")]:
        Registry(home.root / "mlruns").save(record, {})

    refused = home.perfdb("compare", "hopper", "birch")

    assert refused.returncode == 2
    assert refused.stderr == (
        "perfdb: these runs differ in more than what is compared:\n"
        "  scheduler: 'slurm' against 'kubernetes'\n"
        "compare them anyway with --ignore scheduler\n"
    )
    assert home.perfdb("compare", "hopper", "birch", "--ignore", "scheduler").returncode == 0


@pytest.mark.skipif(not TABLE.exists(), reason="others' results do not lie beside this checkout")
def test_the_schedulers_table_shows_its_18_numbers_and_is_warned_of(home: Home) -> None:
    assert home.perfdb("import", "fluence", str(TABLE), "--date", "2024-03-01").returncode == 0
    chosen = ("--metric", "total_time_mean_s", "--metric", "total_time_sd_s", "--metric", "total_time_s")

    document = json.loads(home.perfdb("compare", *ARMS, *chosen, "--json").stdout)
    text = home.perfdb("compare", *ARMS, *chosen).stdout

    expected = _by_hand(TABLE)
    found = {
        (document["sides"][place]["name"], case["alike"]["param.experiment"], metric["metric"]): metric[side]["median"]
        for case in document["cases"]
        for metric in case["metrics"]
        for side, place in (("baseline", 0), ("other", case["other"]))
        if metric["metric"] != "total_time_s"
    }
    assert len(found) == 18
    assert found == pytest.approx(expected)
    assert {metric["verdict"] for case in document["cases"] for metric in case["metrics"]} == {"too few"}
    assert "total_time_s of default falls into two groups" in text
    assert "spliced together" in text
    assert "of fluence falls into two groups" not in text
    assert "unequal counts of values in the records of default and fluence (size-16-8-8-8: 19 against 20)" in text
    assert "nobody can tell when the runs of default and fluence took place" in text
    assert "278.8 s" in text


def _by_hand(table: Path) -> dict[tuple[str, str, str], float]:
    """Mean and sample standard deviation of each cell, from the table itself."""
    head, *rows = (line.split(",") for line in table.read_text().splitlines())
    cells: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        cell = dict(zip(head, row, strict=True))
        cells.setdefault((cell["scheduler"], cell["experiment"]), []).append(float(cell["total_time"]))
    return {
        **{(*cell, "total_time_mean_s"): statistics.mean(times) for cell, times in cells.items()},
        **{(*cell, "total_time_sd_s"): statistics.stdev(times) for cell, times in cells.items()},
    }
