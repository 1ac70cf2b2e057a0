"""`perfdb sweep` and `perfdb run … --against` on a real Parsl: turns, arms that fail, and whatever interrupts them."""

from __future__ import annotations

import json
import random
import signal
import time
from pathlib import Path

import pytest

from tests.end_to_end.conftest import BIN, THREADS, Home, home_at

# Long enough to be valid, short enough to be many.
SWEEP = ("sweep", THREADS, "--vary", "workers=1,2", "--reps", "2", "--set", "time=1.4", "--set", "probe=false")
LABELS = ["local_threads, workers=1", "local_threads, workers=2"]


def by_name(home: Home) -> dict[str, dict]:
    return {record["run_name"]: record for record in home.records()}


def turns(home: Home) -> list[list[int]]:
    found = by_name(home)
    return [found[label]["sitting"]["turns"] for label in LABELS]


def whole(home: Home) -> None:
    """What a sweep leaves that came to its end."""
    found = by_name(home)
    assert sorted(found) == LABELS and {record["status"] for record in found.values()} == {"ok"}
    assert len({record["sitting"]["uuid"] for record in found.values()}) == 1
    for label, workers in zip(LABELS, (1, 2), strict=True):
        record = found[label]
        assert record["overrides"] == {"executor.max_threads": workers}
        assert record["params"]["executor.max_threads"] == workers
        (rate,) = [m for m in record["metrics"] if m["name"] == "warm_tasks_per_s"]
        assert len(rate["values"]) == 2
    every = sorted(turn for arm in turns(home) for turn in arm)
    assert len(every) == len(set(every)) == 4
    assert home.journals() == [] and not list((home.root / ".perfdb" / "sittings").glob("*"))


@pytest.fixture(scope="module")
def meanwhile(tmp_path_factory, empty_database):
    """A sweep that came to its end, what it said, and what others got who came while it was under way."""
    with home_at(tmp_path_factory.mktemp("sweep"), empty_database) as home:
        first = home.start("perfdb", *SWEEP)
        until(home, home.root / "started.log", "[1 of 4", first)
        others = {
            "the same": home.perfdb(*SWEEP),
            "fresh": home.perfdb(*SWEEP, "--fresh"),
            "drop": home.perfdb("sweep", "--drop"),
        }
        assert first.wait(120) == 0, (home.root / "started.log").read_text()
        yield home, (home.root / "started.log").read_text(), others


def test_set_ups_take_turns_forth_and_back_and_each_gives_one_record(meanwhile):
    home, said, _ = meanwhile
    whole(home)
    assert turns(home) == [[1, 4], [2, 3]]
    assert "[4 of 4, about" in said and all(label in said for label in LABELS)


def test_two_sweeps_of_the_same_at_once_do_not_mix(meanwhile):
    home, _, others = meanwhile
    assert others["the same"].returncode == 1
    assert "another perfdb process here is measuring" in others["the same"].stderr
    whole(home)


def test_a_sweep_that_is_under_way_is_not_begun_anew(meanwhile):
    home, _, others = meanwhile
    assert others["fresh"].returncode == 1 and "is being measured here" in others["fresh"].stderr
    assert others["drop"].returncode == 0 and "left alone" in others["drop"].stderr
    whole(home)


def test_a_set_up_that_does_not_install_is_a_failed_record_and_the_others_are_measured(home):
    broken = home.root / "broken-parsl"
    broken.mkdir()
    (broken / "pyproject.toml").write_text('[project]\nname = "parsl"\nversion = "1"\n[build-system]\nrequires = [3]\n')
    quick = ("--reps", "1", "--set", "time=1.4", "--set", "probe=false")
    done = home.perfdb("sweep", THREADS, "--parsl", str(broken), "--parsl", "2026.10.26", *quick, "--json")
    assert done.returncode == 0, done.stderr
    failed, measured = (document["record"] for document in json.loads(done.stdout))
    assert (failed["status"], measured["status"]) == ("failed", "ok")
    assert "could not be installed" in failed["reason"] and str(home.root) not in json.dumps(failed)
    assert measured["code"]["measured"]["parsl"] == "2026.10.26"
    assert home.perfdb("validate").returncode == 0


def test_a_sweep_of_which_nothing_can_be_measured_keeps_nothing(home):
    done = home.perfdb("sweep", THREADS, "--vary", "no_such_param=1,2")
    assert done.returncode in (1, 2) and "no_such_param" in done.stderr and "Traceback" not in done.stderr
    assert home.records() == [] and home.journals() == []
    assert not list((home.root / ".perfdb" / "sittings").glob("*"))


def until(home: Home, log: Path, text: str, sweep, limit_s: float = 60) -> None:
    """Wait for the sweep to say something."""
    deadline = time.monotonic() + limit_s
    while text not in log.read_text():
        assert time.monotonic() < deadline and sweep.poll() is None, log.read_text()
        time.sleep(0.02)


def test_ctrl_c_keeps_what_was_measured_and_the_same_command_goes_on(home):
    sweep = home.start("perfdb", *SWEEP)
    until(home, home.root / "started.log", "[3 of 4", sweep)
    sweep.send_signal(signal.SIGINT)
    assert sweep.wait(60) == 130
    said = (home.root / "started.log").read_text()
    assert "same command again" in said and "Traceback" not in said
    assert home.records() == [] and len(home.journals()) == 2 and home.processes() == []
    synced = home.perfdb("sync", "--no-mlflow")
    assert (
        synced.returncode == 0
        and "2 runs of an interrupted sweep, bisection or run wait" in synced.stdout
        and home.records() == []
    )
    again = home.perfdb(*SWEEP)
    assert again.returncode == 0 and "going on with" in again.stderr, again.stderr
    whole(home)


def test_an_interrupted_sweep_that_is_dropped_becomes_records_of_what_it_measured(home):
    sweep = home.start("perfdb", *SWEEP)
    until(home, home.root / "started.log", "[3 of 4", sweep)
    sweep.kill()
    sweep.wait(60)
    dropped = home.perfdb("sweep", "--drop")
    assert dropped.returncode == 0, dropped.stderr
    assert [record["status"] for record in home.records()] == ["interrupted"] * 2
    assert home.journals() == [] and home.processes() == []


@pytest.mark.drill
def test_a_sweep_killed_at_any_moment_goes_on_and_loses_no_repetition(home, drill_share):
    moments = random.Random(20261121)
    kills = 0
    for _ in range(max(3, round(20 * drill_share))):
        sweep = home.start("perfdb", *SWEEP)
        try:
            sweep.wait(moments.uniform(0.3, 9))
        except Exception:  # noqa: BLE001 (it still runs: the kill is the point)
            sweep.kill()
            kills += 1
        sweep.wait(60)
        if sweep.returncode == 0:
            break
    while sweep.returncode != 0:
        sweep = home.start("perfdb", *SWEEP)
        assert sweep.wait(120) == 0, (home.root / "started.log").read_text()
    assert kills > 0
    whole(home)
    assert home.processes() == []


KILLED_AT = str(Path(__file__).with_name("killed_at.py"))


PLACES = ("starting:3", "writing:recorded.json", "writing:waits.json", "writing:setup.json", "writing:end.json")


def pytest_generate_tests(metafunc):
    """As many of the places as the drill's share says, and two at least: a killed child, and a record not yet noted."""
    if "place" in metafunc.fixturenames:
        share = metafunc.config.getoption("--drill-share")
        metafunc.parametrize("place", PLACES[: max(2, round(share * len(PLACES)))])


@pytest.mark.drill
@pytest.mark.usefixtures("drill_share")
def test_wherever_a_sweep_is_killed_the_same_command_ends_it_with_each_repetition_once(home, place):
    killed = home.run(str(BIN / "python"), KILLED_AT, place, *SWEEP)
    assert killed.returncode == 9, killed.stderr
    assert home.perfdb("sync", "--no-mlflow").returncode == 0
    again = home.perfdb(*SWEEP)
    assert again.returncode == 0, again.stderr
    whole(home)


def in_part(home: Home) -> str:
    """A sweep of a config of its own, killed after two of four turns; the config's path."""
    config = home.root / "mine.py"
    config.write_text(Path(THREADS).read_text())
    killed = home.run(str(BIN / "python"), KILLED_AT, "starting:3", "sweep", str(config), *SWEEP[2:])
    assert killed.returncode == 9, killed.stderr
    return str(config)


@pytest.fixture(scope="module")
def setbacks(tmp_path_factory, empty_database):
    """A sweep in part that meets an edited config, then a full disk, and then comes to its end; what each command gave."""
    with home_at(tmp_path_factory.mktemp("setbacks"), empty_database) as home:
        config = in_part(home)
        mine = ("sweep", config, *SWEEP[2:])
        Path(config).write_text("oops(\n")
        edited = home.perfdb(*mine)
        left = (home.records(), len(home.journals()))
        Path(config).write_text(Path(THREADS).read_text())
        full = home.run(str(BIN / "python"), KILLED_AT, "full:setup.json", *mine)
        yield home, {"edited": edited, "full": full, "again": home.perfdb(*mine)}, left


def went_on(setbacks):
    home, done, _ = setbacks
    assert done["again"].returncode == 0 and "going on with" in done["again"].stderr, done["again"].stderr
    records = sorted(home.records(), key=lambda record: record["run_name"])
    assert [record["sitting"]["turns"] for record in records] == [[1, 4], [2, 3]]


def test_an_edited_config_is_another_sweep_and_what_was_measured_stays(setbacks):
    _, done, left = setbacks
    assert done["edited"].returncode == 1
    assert left == ([], 2)
    went_on(setbacks)


def test_a_full_disk_when_a_sweep_goes_on_costs_nothing_that_was_measured(setbacks):
    _, done, _ = setbacks
    assert done["full"].returncode == 1 and "Traceback" not in done["full"].stderr
    assert "full" in done["full"].stderr
    went_on(setbacks)


def test_a_set_up_that_never_had_its_turn_leaves_no_record_when_the_sweep_is_dropped(home):
    config = in_part(home)
    for journal in home.journals():
        logs = sorted((journal / "logs").glob("*.jsonl"))
        if json.loads((journal / "request.json").read_text())["run_name"].endswith("=2"):
            for log in logs:
                log.unlink()
    dropped = home.perfdb("sweep", "--drop", "--json")
    assert json.loads(dropped.stdout) == {"dropped": 1, "left_alone": 0}
    assert [record["run_name"] for record in home.records()] == ["mine, workers=1"] and home.journals() == []
    del config
