"""What a word on the command line of `perfdb compare` means, and what the terminal shows of a comparison."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from perfdb.cli.compare import compare, exit_code
from perfdb.cli.render_comparison import comparison_lines
from perfdb.cli.sides import complete_side
from perfdb.errors import EXIT_MATCHED, UnlikeRunsError, UsageError
from perfdb.record import Code, ConfigRef, Metric, Record, Retraction, new_uuid
from perfdb.registry import Registry
from perfdb.registry.remarks import save_remark
from tests.compare.made import compared, run, runs
from tests.compare.made import rate as tasks

app = typer.Typer()
app.command("compare")(compare)


@app.command("other")
def _other() -> None:
    """A second one, so that the first keeps its name."""


OLD, NEW = "2025.8.4", "2025.11.3"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PERFDB_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def kept(root: Path, *groups: Sequence[Record]) -> list[Record]:
    records = [record for group in groups for record in group]
    for record in records:
        Registry(root / "mlruns").save(record, {})
    return records


def typed(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["compare", *arguments], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.stdout


def test_two_versions_are_compared_by_their_names(root: Path) -> None:
    kept(root, runs(700), runs(630, parsl=NEW))

    lines = typed(OLD, f"parsl=={NEW}").splitlines()

    assert lines[0].startswith("compared: parsl_version; alike: family throughput, machine hopper, config local_htex")
    (row,) = [line for line in lines if "warm_tasks_per_s" in line and "unstable" not in line]
    assert "-10.0 %" in row
    assert row.endswith("worse (higher is better)")


def test_records_are_named_by_the_first_digits_of_their_ids(root: Path) -> None:
    records = kept(root, runs(700, 2), runs(630, 2, parsl=NEW))
    ids = [record.record_id for record in records]

    document = json.loads(typed(f"{ids[0][:10]},{ids[1]}", f"{ids[2]},{ids[3][:12]}", "--json"))

    assert [set(side["records"]) for side in document["sides"]] == [set(ids[:2]), set(ids[2:])]
    assert document["compared"] == ["parsl_version"]


def test_machines_and_configs_are_sides_too(root: Path) -> None:
    kept(root, runs(700), runs(630, machine="birch"))

    assert typed("hopper", "birch").startswith("compared: machine")


def test_a_query_compares_what_it_names(root: Path) -> None:
    blocks = [{"params": {"provider.max_blocks": n}, "config": None} for n in (4, 8)]
    kept(root, runs(700, **blocks[0]), runs(900, **blocks[1]))

    document = json.loads(typed("provider.max_blocks == 4", "provider.max_blocks == 8", "--json"))

    assert document["compared"] == ["param.provider.max_blocks"]
    assert [side["name"] for side in document["sides"]] == ["4", "8"]


def test_a_query_compares_the_schedulers_setting_that_it_names(root: Path) -> None:
    types = ("sched/backfill", "sched/builtin")
    kept(root, *(runs(700, scheduler="slurm", settings={"SchedulerType": each}) for each in types))

    lines = typed(*(f"SchedulerType == '{each}'" for each in types)).splitlines()

    assert lines[0].startswith("compared: scheduler_settings.SchedulerType; alike: ")
    assert [line.split()[1] for line in lines[1:3]] == ["sched/backfill", "sched/builtin"]
    assert lines[3] == "nothing else differs"
    kept(root, runs(700, parsl=NEW, scheduler="slurm", settings={"SchedulerType": "other", "boot_s": "2"}))
    with pytest.raises(UnlikeRunsError, match=r"--ignore parsl_version --ignore scheduler_settings.boot_s"):
        typed(f"SchedulerType == '{types[0]}'", "SchedulerType == other")


def test_of_many_settings_that_differ_the_first_are_told_and_the_rest_named() -> None:
    cloud = {"SchedulerType": "sched/backfill", "boot_s": "2", **{f"Name{n}": "x" for n in range(4)}}
    sides = (runs(700, settings=cloud), runs(630, settings={"SchedulerType": "sched/builtin"}))

    lines = comparison_lines(compared(*sides, by=None), width=None, coloured=False)

    assert lines[3] == (
        "came along: scheduler_settings.SchedulerType 'sched/backfill' against 'sched/builtin'; scheduler_settings.boot_s '2' "
        "against unknown; 4 more settings of the scheduler: Name0, Name1, Name2, Name3 (--json has their values)"
    )


def test_where_narrows_both_sides(root: Path) -> None:
    kept(root, *(runs(700, parsl=p, machine=m) for p in (OLD, NEW) for m in ("hopper", "birch")))

    document = json.loads(typed(OLD, NEW, "--where", "machine == birch", "--json"))

    assert [case["alike"]["machine"] for case in document["cases"]] == ["birch"]


def test_a_word_that_may_mean_two_things_is_refused_with_the_queries_to_type(root: Path) -> None:
    kept(root, runs(700, machine="alder-7"), runs(630, parsl="alder-7"), runs(630))

    with pytest.raises(UsageError, match=r"machine == alder-7.* or .*parsl_version == alder-7"):
        typed("alder-7", OLD)


def test_a_word_that_means_nothing_is_refused(root: Path) -> None:
    kept(root, runs(700))

    with pytest.raises(UsageError, match=r"'nowhere' is no record's id, no machine.*\"name == 'nowhere'\""):
        typed(OLD, "nowhere")


@pytest.mark.parametrize("sides", [(OLD,), (OLD, OLD)])
def test_one_side_alone_or_twice_is_refused(root: Path, sides: tuple[str, ...]) -> None:
    kept(root, runs(700))

    with pytest.raises(UsageError):
        typed(*sides)


def test_unlike_runs_are_refused_and_compared_when_the_difference_is_ignored(root: Path) -> None:
    kept(root, runs(700, python="3.11"), runs(630, parsl=NEW, python="3.12"))
    with pytest.raises(UnlikeRunsError) as refused:
        typed(OLD, NEW)
    (option, name) = re.findall(r"compare them anyway with (--\w+) (\w+)$", str(refused.value))[0]

    assert "ignored: python '3.11' against '3.12'" in typed(OLD, NEW, option, name)


def test_fail_on_ends_with_a_code_of_its_own(root: Path) -> None:
    kept(root, runs(700), runs(630, parsl=NEW))

    typed(OLD, NEW, "--fail-on", "worse", code=EXIT_MATCHED)
    typed(NEW, OLD, "--fail-on", "worse")
    typed(NEW, OLD, "--fail-on", "worse", "--fail-on", "better", code=EXIT_MATCHED)


def test_too_few_can_fail_a_check_too() -> None:
    assert exit_code(compared(runs(700, 2), runs(630, 2, parsl=NEW)), ["too-few"]) == EXIT_MATCHED


@pytest.mark.parametrize("verdict", ["failed", "worse"])
def test_a_release_that_no_longer_runs_fails_a_check(root: Path, verdict: str) -> None:
    configs = [ConfigRef(name=name, source_sha256=name * 64, fingerprint=name * 64) for name in "ab"]
    lost = [run(parsl=NEW, status="failed", reason="x", config=configs[1])]
    kept(root, *(runs(700, config=config) for config in configs), runs(700, parsl=NEW, config=configs[0]), lost)

    typed(OLD, NEW, "--fail-on", verdict, code=EXIT_MATCHED)
    typed(OLD, NEW, "--where", "config == a", "--fail-on", verdict)


def test_a_run_is_not_blamed_for_having_once_what_it_has_once() -> None:
    sides = [
        [run(tasks(*(level + i for i in range(8))), once(level), parsl=parsl, turns=tuple(range(first, 17, 2)))]
        for level, parsl, first in ((700, OLD, 1), (700, NEW, 2))
    ]
    comparison = compared(*sides, metrics=["warm_tasks_per_s", "task_latency_p50_s"])

    assert exit_code(comparison, ["too-few"]) == EXIT_MATCHED
    assert exit_code(comparison, ["too-few"], ["task_latency_p50_s"]) == 0


def once(value: float) -> Metric:
    return Metric(name="task_latency_p50_s", unit="s", direction="lower", value=value)


def test_the_sides_that_a_remedy_names_are_the_ones_that_were_compared(root: Path) -> None:
    def at(commit: str | None, level: float) -> list[Record]:
        source = {"parsl_source": f"commit {commit * 40}"} if commit else {}
        code = Code(perfdb_version="0.1.0", measured={"parsl": OLD, **source})
        return [run(tasks(level, level + 1), once(level), code=code)]

    records = kept(root, at(None, 700), at("b", 630))
    asked = ("measured.parsl_source is null", "measured.parsl_source like 'commit b%'")
    (command,) = json.loads(typed(*asked, "--metric", "task_latency_p50_s", "--json"))["remedies"]
    again = shlex.split(command.partition("; perfdb compare ")[2], comments=True)

    assert [side["records"] for side in json.loads(typed(*again, "--json"))["sides"]] == [
        [r.record_id] for r in records
    ]


def test_withdrawn_and_failed_records_are_left_out_visibly(root: Path) -> None:
    records = kept(root, runs(700), runs(630, parsl=NEW), [run(tasks(1), parsl=NEW, status="failed", reason="x")])
    withdrawn = Retraction(
        uuid=new_uuid(), at=records[0].started_at, record_id=records[8].record_id, reason="wrong node"
    )
    save_remark(root / "mlruns", withdrawn)

    assert f"other     {NEW}: 7 records; left out: 1 failed, 1 withdrawn" in typed(OLD, NEW)


def test_a_damaged_record_is_told_and_the_rest_compared(root: Path) -> None:
    records = kept(root, runs(700), runs(630, parsl=NEW))
    path = next((root / "mlruns").rglob(f"{records[0].record_id}/record.json"))
    path.write_bytes(path.read_bytes().replace(b"hopper", b"topper"))

    assert "7 records" in typed(OLD, NEW, code=5)


def test_completion_knows_machines_and_ids(root: Path) -> None:
    records = kept(root, runs(700, 1))

    assert complete_side("hop") == ["hopper"]
    assert complete_side(records[0].record_id[:6]) == [records[0].record_id]


@pytest.mark.parametrize("width", [80, 100, 200, None])
def test_no_line_of_numbers_is_broken_and_none_is_wider_than_the_terminal(width: int | None) -> None:
    comparison = compared(runs(700, 3), runs(630, 3, parsl=NEW, first_hour=99))
    lines = comparison_lines(comparison, width=width, coloured=False)

    assert sum("warm_tasks_per_s" in line for line in lines) >= 1
    assert any(re.search(r"ratio 0\.9|  0\.9  ", line) for line in lines)
    commands = [line for line in lines if line.startswith("  perfdb run")]
    assert len(commands) == 1
    assert width is None or all(len(line) <= width for line in lines if line not in commands)


def test_a_strangers_text_cannot_move_the_cursor() -> None:
    sides = [runs(level, parsl=parsl, params={"x": "\x1b[2J"}) for level, parsl in ((700, OLD), (630, NEW))]
    other = [*sides[1], *runs(5, parsl=NEW, machine="birch", params={"y\x1b[1A": 1})]

    assert not any("\x1b" in line for line in comparison_lines(compared(sides[0], other), width=80, coloured=False))
