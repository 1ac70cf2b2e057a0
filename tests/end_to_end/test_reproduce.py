"""`perfdb reproduce` with a real Parsl: installed again, measured again, told beside the old record."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from perfdb.errors import EXIT_ERROR, EXIT_USAGE
from perfdb.record import Code, ConfigRef
from perfdb.registry import Registry
from tests.end_to_end.conftest import THREADS, Home
from tests.services.serving import lean_server
from tests.tracking.records import make_record

RELEASE = "2026.10.26"


def measured(home: Home, *more: str) -> str:
    """A short run of a config in parsl-configs/; its record's id."""
    folder = home.root / "parsl-configs"
    folder.mkdir(exist_ok=True)
    shutil.copy(THREADS, folder)
    asked = ("local_threads", "first", "--time", "1.5", "--reps", "1", "--no-probe", "--no-server", "--json")
    done = home.perf(*asked, *more)
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["record_id"])


def test_a_run_is_done_again_under_the_same_release_and_names_the_old_one(home: Home) -> None:
    old = measured(home)
    done = home.perfdb("reproduce", old, "--no-server", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    new = told["record"]
    assert (told["reproduces"], new["reproduces"]) == (old, old)
    assert new["code"]["measured"] == {"parsl": RELEASE}
    first = next(record for record in home.records() if record["record_id"] == old)
    for same in ("spec", "config", "run_name", "experiment", "params"):
        assert new[same] == first[same]
    assert next(row["metric"] for row in told["metrics"]) == "warm_tasks_per_s"
    # An environment of its own holds Parsl and what it needs, and nothing of ours.
    assert {each["dimension"].partition(".")[0] for each in told["differences"]} <= {"package"}
    assert len(home.records()) == 2


def test_a_changed_config_is_refused_before_anything_is_measured_and_the_kept_one_runs_on_request(home: Home) -> None:
    old = measured(home)
    config = home.root / "parsl-configs" / Path(THREADS).name
    config.write_text(Path(THREADS).read_text() + "\nchanged = True\n")
    refused = home.perfdb("reproduce", old, "--no-server")
    assert refused.returncode == EXIT_ERROR
    assert "another config" in refused.stderr
    assert len(home.records()) == 1
    assert home.journals() == []
    done = home.perfdb("reproduce", old, "--use-kept-config", "--no-server")
    assert done.returncode == 0, done.stderr
    assert "two records are two sittings" in done.stdout
    assert f"against record {old}" in done.stdout
    (again,) = [record for record in home.records() if record["record_id"] != old]
    assert again["config"]["name"] == "local_threads"


def test_a_commit_wants_to_be_named(home: Home) -> None:
    folder = home.root / "parsl-configs"
    folder.mkdir()
    shutil.copy(THREADS, folder)
    record = make_record(
        spec={"time": 1.5, "reps": 1},
        config=ConfigRef(name=Path(THREADS).stem, source_sha256="a" * 64, fingerprint="b" * 64),
        code=Code(perfdb_version="0.1.0", measured={"parsl": RELEASE, "parsl_source": "commit 0123456789"}),
    )
    Registry(home.root / "mlruns").save(record, {})
    done = home.perfdb("reproduce", record.record_id, "--no-server")
    assert done.returncode == EXIT_USAGE
    assert "--parsl" in done.stderr
    assert "commit 0123456789" in done.stderr


def test_a_service_is_named_once_more_for_no_record_keeps_its_address(home: Home) -> None:
    load = ("-n", "5", "--wait", "0", "--reps", "1", "--no-server", "--json")
    with lean_server() as first:
        old = json.loads(home.perfdb("run", "scaling", f"http://{first}", *load).stdout)["record_id"]
        nameless = home.perfdb("reproduce", old)
        assert (nameless.returncode, nameless.stdout) == (EXIT_USAGE, "")
        assert f"perfdb reproduce {old} URL" in nameless.stderr
        done = home.perfdb("reproduce", old, f"http://{first}", "--reps", "2", "--no-server", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["record"]["reproduces"], told["record"]["spec"]["n"]) == (0, old, 5)
    assert [each["dimension"] for each in told["differences"]] == []
    assert next(row for row in told["metrics"] if row["metric"] == "success_share")["after_n"] == 2


def test_a_config_is_not_named_as_a_service_is(home: Home) -> None:
    old = measured(home)
    done = home.perfdb("reproduce", old, "http://127.0.0.1:8000")
    assert done.returncode == EXIT_USAGE
    assert "name it with --config FILE" in done.stderr
