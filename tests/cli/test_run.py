"""`perfdb run` as it is typed: a family that is none, an option under each of its names, what a run's status says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from perfdb.cli.app import app
from perfdb.cli.asked import asked_for, is_given
from perfdb.cli.render import print_record
from perfdb.cli.run import RunGroup
from perfdb.cli.terminal import Voice
from perfdb.errors import UsageError
from perfdb.families import FAMILIES
from perfdb.record import Check, Finding
from perfdb.registry.remarks import Remarks
from perfdb.settings import load_settings
from tests.families.scaling.counted import Counted, record
from tests.tracking.records import save

AUTOSCALE = FAMILIES["autoscale"]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PERFDB_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "parsl-configs").mkdir()
    (tmp_path / "parsl-configs" / "local_one.py").touch()
    return tmp_path


def refused(*arguments: str) -> str:
    with pytest.raises(UsageError) as told:
        CliRunner().invoke(app, ["run", *arguments], catch_exceptions=False)
    return str(told.value)


def test_a_slip_in_a_familys_name_is_answered_with_the_one_that_is_near(root: Path) -> None:
    told = refused("autoscal", "local_one")
    assert f"no family 'autoscal'; there are {', '.join(sorted(FAMILIES))}." in told
    assert told.endswith("Did you mean autoscale?")
    assert "Did you mean" not in refused("zzz", "local_one")


@pytest.mark.parametrize("name", ["rounds", "reps"])
@pytest.mark.parametrize("written", ["--{name}={value}", "--set={name}={value}"])
def test_an_error_names_an_option_as_it_was_typed(root: Path, name: str, written: str) -> None:
    assert refused("autoscale", "local_one", written.format(name=name, value="0")).startswith(f"--{name}: ")


def test_both_names_of_an_option_are_listed_and_only_one_may_be_given(root: Path) -> None:
    told = refused("autoscale", "local_one", "--set", "rouds=1")
    assert "reps or rounds" in told
    assert told.endswith("Did you mean rounds?")
    assert "two names of one thing" in refused("autoscale", "local_one", "--rounds", "1", "--reps", "2")
    assert "two names of one thing" in refused("autoscale", "local_one", "--rounds", "1", "--set", "reps=2")


def asked(**changes: object) -> dict[str, object]:
    nothing = {"run_name": None, "experiment": None, "machine": None, "timeout_s": None, "python": None, "parsl": None}
    return {"target": "local_one", "flags": {}, "spec_file": None, "pairs": [], **nothing, **changes}


def test_rounds_are_the_repetitions_however_they_are_given(root: Path) -> None:
    (root / "spec.toml").write_text("rounds = 7\n")
    for given in ({"flags": {"rounds": 7}}, {"pairs": ["rounds=7"]}, {"spec_file": root / "spec.toml"}):
        typed = asked(**given)
        assert asked_for(AUTOSCALE, load_settings(), Voice(), **typed).spec["reps"] == 7  # type: ignore[arg-type]
        assert is_given(AUTOSCALE, "reps", typed)
    assert not is_given(AUTOSCALE, "reps", asked(flags={"blocks": 2}))


def test_two_options_of_which_one_stands_for_the_other_are_refused_together(root: Path) -> None:
    told = refused("scaling", "http://127.0.0.1:1", "-n", "5", "--requests-grid", "3,4")
    assert told == "-n stands in place of --requests-grid: leave one of them out."
    assert "--wait stands" in refused("scaling", "http://127.0.0.1:1", "--set", "wait=1", "--wait-grid", "1,2")


def test_a_record_of_loads_is_shown_with_a_row_for_each_and_its_ceilings_by_their_waits(root: Path) -> None:
    ceiling = Finding(
        name="wait_2_ceiling", value="at least 64 sessions", evidence="wait 1 s, success of at least 0.95"
    )
    kept = record(root, [Counted(64, 1.05, failed=8)], findings=(ceiling,))
    told = CliRunner().invoke(app, ["show", kept.record_id], catch_exceptions=False).stdout
    assert re.search(r"^wait +load +succeeded .* hosts +passed", told, re.MULTILINE)
    assert re.search(r"^1 s +64 +87\.5 % .* 1 +0 of 1", told, re.MULTILINE)
    assert "ceiling, wait 1 s: at least 64 sessions" in told


SERVED = "export OPENENV_URL=http://127.0.0.1:8000\nexport ENVOY_NODE=127.0.0.7\nexport ENVOY_ADMIN_PORT=9905\n"


def test_the_connection_file_of_this_folder_names_the_admin_unless_one_is_typed(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def admin(url: str = "http://127.0.0.1:8000", **flags: str) -> object:
        typed = asked(target=url, flags=flags)
        return asked_for(FAMILIES["scaling"], load_settings(), Voice(), **typed).spec["admin"]  # type: ignore[arg-type]

    assert admin() is None
    (root / "openenv-connection.env").write_text(SERVED)
    assert admin() == "127.0.0.7:9905"
    assert "--admin 127.0.0.7:9905, as openenv-connection.env of this folder says" in capsys.readouterr().err
    assert admin(admin="127.0.0.8:9906") == "127.0.0.8:9906"
    assert admin("http://127.0.0.1:8001") is None


STOOD = "block 0 came as far as job_pending, its job is PENDING (Resources)"


def shown(root: Path, capsys: pytest.CaptureFixture[str], **changes: object) -> str:
    entry = save(root, **changes)
    print_record(entry, Remarks())
    return capsys.readouterr().out


def test_what_stopped_a_run_is_told_once(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checks = (
        Check(name="every_round_complete", passed=False, detail="0 of 2 rounds came to their end"),
        Check(
            name="nodes_as_claimed",
            passed=False,
            detail=f"cold-1: tasks ran on 0 nodes, 2 are claimed; cold-1: {STOOD}",
        ),
        Check(name="every_block_registered", passed=False, detail=f"cold-1: {STOOD}"),
    )
    told = shown(root, capsys, status="interrupted", reason=f"perfdb was told to stop; {STOOD}", checks=checks)
    assert told.count(STOOD) == 1
    lines = [line.strip() for line in told.splitlines() if line.startswith("failed check")]
    assert lines == [
        "failed check every_round_complete: 0 of 2 rounds came to their end",
        "failed check nodes_as_claimed: cold-1: tasks ran on 0 nodes, 2 are claimed",
        "failed check every_block_registered",
    ]


def test_a_failed_check_that_the_reason_lacks_is_told_in_full(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checks = (Check(name="clocks_agree", passed=False, detail="3 s off; 4 s off"),)
    told = shown(root, capsys, status="failed", reason="no node was acquired", checks=checks)
    assert "failed check clocks_agree: 3 s off; 4 s off" in told


def test_an_option_of_one_letter_is_named_as_it_is_typed(root: Path) -> None:
    assert refused("scaling", "http://127.0.0.1:1", "-n", "0").startswith("-n: ")


def test_what_a_plan_refuses_is_told_without_the_plan(root: Path) -> None:
    given = ("--shape", "open", "-n", "900000", "--steady-s", "100")
    assert refused("scaling", "http://127.0.0.1:1", *given) == (
        "these options: more than 1,000,000 arrivals: take a lower rate or a shorter time. "
        "`perfdb run scaling --help` says what it takes."
    )


def offered(option: str, begun: str) -> list[str]:
    command = RunGroup(name="run").get_command(None, "schedulers")
    parameter = next(parameter for parameter in command.params if option in parameter.opts)
    return [item.value for item in parameter.shell_complete(typer.Context(command), begun)]


def test_a_shell_completes_what_the_family_knows_of_its_options(root: Path) -> None:
    assert offered("target", "cl") == offered("--workload", "cl") == ["clog"]
    assert offered("--arms", "mini-slurm,sim")[0] == "mini-slurm,simulated:fifo"
