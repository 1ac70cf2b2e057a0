"""Accounting on a real pocket cluster: slurmdbd, on a MariaDB of its own."""

from __future__ import annotations

import os
import pwd
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from perfdb.errors import ClusterError
from perfdb.platforms.pocket import Options, Places, accounting, down, up
from perfdb.platforms.pocket import programs as pocket_programs
from perfdb.platforms.pocket.commands import ask
from perfdb.platforms.pocket.places import Ports

PATIENCE_S = 30.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[Places]:
    places = Places.of(f"acct{os.getpid()}")
    try:
        up(places, Options(nodes=3, accounting=True), lambda _: None)
        yield places
    finally:
        down(places, lambda _: None)


def slurm(places: Places, *argv: str) -> str:
    said = ask(places, *argv, timeout_s=PATIENCE_S)
    assert said is not None, f"{argv} failed"
    return said.strip()


def submit(places: Places, *words: str) -> str:
    return slurm(places, "sbatch", "--parsable", "--output=/dev/null", *words)


def wait_for(told: Callable[[], str], wanted: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while told() != wanted:
        assert time.monotonic() < deadline, f"{told()!r}, still not {wanted!r}"
        time.sleep(0.1)


def state(places: Places, job: str) -> str:
    return slurm(places, "squeue", "--noheader", "--states=all", f"--jobs={job}", "--format=%T %D")


def command_line(pid: int | None) -> bytes:
    """Empty where the process is over, also if we, who started it, have not asked yet how it ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def rows(places: Places, job: str, *fields: str, duplicates: bool = False) -> list[dict[str, str]]:
    """What sacct has of a job, once it has noted the job's end."""

    def told() -> list[dict[str, str]]:
        also = ["--duplicates"] if duplicates else []
        asked = ["State", *fields]
        words = ["-X", "--noheader", "--parsable2", f"--jobs={job}", f"--format={','.join(asked)}"]
        lines = slurm(places, "sacct", *also, *words).splitlines()
        return [dict(zip(asked, line.split("|"), strict=True)) for line in lines]

    wait_for(lambda: "over" if told() and told()[-1]["State"] not in {"PENDING", "RUNNING"} else "not yet", "over")
    return told()


def test_sacct_lists_a_finished_job_with_the_times_that_slurm_itself_told(cluster: Places) -> None:
    job = submit(cluster, "--wrap=sleep 1")
    wait_for(lambda: state(cluster, job), "COMPLETED 1")
    shown = dict(word.split("=", 1) for word in slurm(cluster, "scontrol", "show", "job", job).split() if "=" in word)

    (row,) = rows(cluster, job, "Submit", "Start", "End", "Account")

    assert row == {
        "State": "COMPLETED",
        "Submit": shown["SubmitTime"],
        "Start": shown["StartTime"],
        "End": shown["EndTime"],
        "Account": accounting.ACCOUNT,
    }


def test_a_job_that_fails_is_listed_with_its_exit_code(cluster: Places) -> None:
    job = submit(cluster, "--wrap=exit 3")
    wait_for(lambda: state(cluster, job), "FAILED 1")

    (row,) = rows(cluster, job, "ExitCode")

    assert row == {"State": "FAILED", "ExitCode": "3:0"}


def test_a_running_job_shrinks_again_and_again_and_each_size_is_kept(cluster: Places, tmp_path: Path) -> None:
    job = submit(cluster, "--nodes=3", "--exclusive", "--wrap=sleep 300")
    wait_for(lambda: state(cluster, job), "RUNNING 3")
    # Of a job that is resized before slurmdbd has heard of it, the first size is lost.
    wait_for(
        lambda: slurm(cluster, "sacct", "-X", "--noheader", "--parsable2", f"--jobs={job}", "--format=State"), "RUNNING"
    )

    for size, nodes in ((2, "n[0-1]"), (1, "n0")):
        subprocess.run(  # in a folder of its own: scontrol leaves a script there
            ["scontrol", "update", f"JobId={job}", f"NodeList={nodes}"],
            env=cluster.environment(),
            cwd=tmp_path,
            check=True,
            timeout=PATIENCE_S,
        )
        wait_for(lambda: state(cluster, job), f"RUNNING {size}")
    slurm(cluster, "scancel", job)

    first, *between, last = rows(cluster, job, "NodeList", duplicates=True)
    assert (first, last["NodeList"]) == ({"State": "RESIZING", "NodeList": "n[0-2]"}, "n0")
    assert {row["State"] for row in between} <= {"RESIZING"}


def test_a_job_of_an_account_that_is_none_is_refused(cluster: Places) -> None:
    assert ask(cluster, "sbatch", "--account=nobodys", "--wrap=true") is None


def test_nobody_else_may_read_how_the_database_is_reached(cluster: Places) -> None:
    assert (cluster.folder / "slurmdbd.conf").stat().st_mode & 0o777 == 0o600
    assert (cluster.folder / "db").stat().st_mode & 0o777 == 0o700


def test_the_database_listens_on_no_port(cluster: Places) -> None:
    described = cluster.description()
    assert described is not None
    told = slurm(
        cluster,
        "mariadb-admin",
        "--no-defaults",
        f"--socket={cluster.folder}/db/socket",
        "variables",
    )
    values = dict(
        tuple(cell.strip() for cell in line.split("|")[1:3]) for line in told.splitlines() if line.count("|") > 2
    )
    assert values["skip_networking"] == "ON"
    with socket.create_connection(("127.0.0.1", described.ports.slurmdbd), timeout=PATIENCE_S):
        pass  # slurmdbd alone does


def test_down_leaves_nothing_of_the_accounting_either() -> None:
    places = Places.of(f"acctdown{os.getpid()}")
    try:
        now = up(places, Options(nodes=1, accounting=True), lambda _: None)
        assert {"mariadbd", "slurmdbd"} <= set(now.daemons)
    finally:
        down(places, lambda _: None)

    assert not places.folder.exists()
    assert [pid for pid in now.daemons.values() if command_line(pid)] == []


def test_what_is_missing_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def without(program: str) -> str | None:
        return None if program in {"slurmdbd", "mariadbd"} else pocket_programs.find(program)

    monkeypatch.setattr(accounting, "find", without)

    with pytest.raises(ClusterError, match=r"lacks slurmdbd, mariadbd.*slurmdbd mariadb-server slurm-wlm-mysql-plugin"):
        accounting.check()


def test_a_database_that_cannot_be_made_says_what_its_program_said(tmp_path: Path) -> None:
    places = Places(tmp_path)
    places.logs.mkdir()
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "data").write_text("a file where the data belongs\n")

    with pytest.raises(ClusterError, match=r"could not be made: mariadb-install-db ended with code \d+\. It said: \S"):
        accounting.start(places, Ports(slurmctld=20000, slurmdbd=20001, slurmd=20002), closed=True)


def test_databases_that_are_made_at_once_do_not_meet(tmp_path: Path) -> None:
    clusters = [Places(tmp_path / str(number)) for number in range(5)]
    for places in clusters:
        places.logs.mkdir(parents=True)
    with ThreadPoolExecutor(len(clusters)) as pool:
        for made in [
            pool.submit(accounting._make_database, places, pwd.getpwuid(os.getuid()).pw_name) for places in clusters
        ]:
            made.result()
