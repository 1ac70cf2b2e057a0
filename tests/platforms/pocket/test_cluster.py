"""A cluster's whole life, on a real Slurm."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from perfdb.errors import ClusterError
from perfdb.platforms.pocket import Options, Places, cluster
from perfdb.platforms.pocket.programs import find
from perfdb.platforms.pocket.status import status
from perfdb.platforms.pocket.traces import processes
from tests.platforms.pocket.pockets import (
    Machine,
    can_listen,
    fresh,
    kill,
    nothing_left,
    perfdb,
    ports_of,
    running,
    slurm,
    wait_until,
)

pytestmark = pytest.mark.usefixtures("real_slurm")
TWO = Options(nodes=2)


@pytest.fixture(scope="module")
def pocket() -> Iterator[Places]:
    with running(TWO) as places:
        yield places


def test_a_job_runs_on_two_nodes_at_once(pocket: Places) -> None:
    nodes = slurm(pocket, "srun", "-N2", "sh", "-c", "echo $SLURMD_NODENAME")
    assert sorted(nodes.split()) == ["n0", "n1"]


def test_status_names_every_daemon_and_node(pocket: Places) -> None:
    now = status(pocket)
    assert now.up
    assert list(now.daemons) == ["munged", "slurmctld", "slurmd-n0", "slurmd-n1"]
    for name, pid in now.daemons.items():
        assert pid is not None
        assert psutil.Process(pid).name() == name.partition("-")[0]
    assert list(now.nodes) == ["n0", "n1"]


def test_up_again_finds_the_one_that_runs(pocket: Places) -> None:
    before = status(pocket).daemons
    assert cluster.up(pocket, TWO, print).daemons == before


def test_up_with_other_options_is_refused_and_names_both_ways_out(pocket: Places) -> None:
    with pytest.raises(ClusterError, match=r"--nodes 2`\. End it with `perfdb cluster down --name .*another .*--name"):
        cluster.up(pocket, Options(nodes=3), print)
    assert status(pocket).up


def test_a_second_cluster_stands_beside_the_first(pocket: Places) -> None:
    with running(Options(nodes=1)) as other:
        assert not set(ports_of(other)) & set(ports_of(pocket))
        assert slurm(other, "srun", "sh", "-c", "echo $SLURM_CLUSTER_NAME") == other.cluster_name
        assert slurm(pocket, "srun", "sh", "-c", "echo $SLURM_CLUSTER_NAME") == pocket.cluster_name
    assert status(pocket).up


def test_slurmctlds_log_tells_of_jobs_with_milliseconds_and_the_zone(pocket: Places) -> None:
    job = slurm(pocket, "sbatch", "--parsable", "--wait", "--output=/dev/null", "--wrap=true")
    stamp = r"^\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d\] .*"
    wait_until(lambda: re.search(rf"{stamp}JobId={job} done", pocket.slurmctld_log.read_text(), re.MULTILINE))
    assert re.search(
        rf"{stamp}_slurm_rpc_submit_batch_job: JobId={job} ", pocket.slurmctld_log.read_text(), re.MULTILINE
    )


def test_only_its_owner_can_reach_a_cluster(pocket: Places) -> None:
    assert pocket.folder.stat().st_mode & 0o777 == 0o700
    assert pocket.munge_key.stat().st_mode & 0o777 == 0o400
    if os.getuid() == 0:
        as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        argv = [*as_nobody, "munge", "--no-input", f"--socket={pocket.munge_socket}"]
        done = subprocess.run(argv, check=False, capture_output=True, text=True)
        assert done.returncode != 0
        assert "Permission denied" in done.stderr


def test_down_ends_jobs_that_hide_and_leaves_nothing() -> None:
    places = fresh()
    before = Machine.now(places)
    cluster.up(places, TWO, print)
    ports = ports_of(places)
    hides = "trap '' TERM; setsid sh -c 'trap \"\" TERM; touch hidden; sleep 600' & sleep 600"
    slurm(places, "sbatch", "--export=NONE", "--output=/dev/null", f"--wrap={hides}")
    wait_until((places.folder / "hidden").exists)
    assert cluster.down(places, print)
    nothing_left(places, before)
    assert can_listen(ports)
    assert not cluster.down(places, print)


def test_down_ends_what_a_job_left_though_its_slurmd_and_its_slurmstepd_are_gone() -> None:
    places = fresh()
    before = Machine.now(places)
    cluster.up(places, TWO, print)
    hides = "setsid sh -c 'touch hidden; sleep 600' & sleep 600"
    slurm(places, "sbatch", "--nodelist=n0", "--export=NONE", "--output=/dev/null", f"--wrap={hides}")
    wait_until((places.folder / "hidden").exists)
    steps = [process for process in processes(places) if process.name() == "slurmstepd"]
    assert steps
    kill(places, "slurmd-n0")
    for step in steps:
        step.kill()
    assert cluster.down(places, print)
    nothing_left(places, before)


def test_down_while_a_node_boots_ends_the_boot_too() -> None:
    places = fresh()
    before = Machine.now(places)
    cluster.up(places, Options(nodes=1, cloud=True, boot_s=60), print)
    slurm(places, "sbatch", "--output=/dev/null", "--wrap=true")
    wait_until(places.power_events.exists)
    assert cluster.down(places, print)
    nothing_left(places, before)


@pytest.mark.parametrize("daemon", ["munged", "slurmctld", "slurmd-n0"])
def test_one_daemon_killed_is_told_and_down_ends_the_rest(daemon: str) -> None:
    places = fresh()
    before = Machine.now(places)
    cluster.up(places, TWO, print)
    ports = ports_of(places)
    slurm(places, "sbatch", "--nodelist=n0", "--output=/dev/null", "--wrap=touch begun; sleep 600")
    wait_until((places.folder / "begun").exists)
    kill(places, daemon)
    now = status(places)
    assert not now.up
    assert now.dead == (daemon,)
    with pytest.raises(ClusterError, match=rf"only in part: {daemon} .*`perfdb cluster down --name {places.name}`"):
        cluster.up(places, TWO, print)
    assert cluster.down(places, print)
    nothing_left(places, before)
    assert can_listen(ports)


def test_after_a_reboot_whoever_got_the_numbers_lives_and_up_starts_anew() -> None:
    places = fresh()
    before = Machine.now(places)
    cluster.up(places, TWO, print)
    kill(places, *status(places).daemons)
    wait_until(lambda: not status(places).processes)
    other = subprocess.Popen(["sleep", "600"])
    try:
        for pid_file in [*places.spool.glob("*.pid"), places.folder / "slurmctld.pid", places.munge / "pid"]:
            pid_file.write_text(f"{other.pid}\n")
        said: list[str] = []
        assert cluster.up(places, Options(nodes=1), said.append).up
        assert "crash or a reboot" in said[0]
        assert cluster.down(places, print)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()
    nothing_left(places, before)


def test_a_folder_that_is_gone_hides_no_daemon() -> None:
    places = fresh()
    before = Machine.now(places)
    cluster.up(places, TWO, print)
    shutil.rmtree(places.folder)
    assert cluster.down(places, print)
    nothing_left(places, before)


def test_two_ups_at_once_are_one_cluster() -> None:
    places = fresh()
    before = Machine.now(places)
    both = [perfdb("cluster", "up", "--name", places.name, "--nodes", "1", "--json") for _ in range(2)]
    told = [json.loads(up.communicate(timeout=60)[0]) for up in both]
    assert [up.returncode for up in both] == [0, 0]
    assert told[0]["daemons"] == told[1]["daemons"]
    cluster.down(places, print)
    nothing_left(places, before)


def test_ctrl_c_while_it_starts_leaves_nothing() -> None:
    places = fresh()
    before = Machine.now(places)
    up = perfdb("cluster", "up", "--name", places.name)
    wait_until(lambda: places.output("slurmctld").exists() or up.poll() is not None)
    up.send_signal(signal.SIGINT)
    _, said = up.communicate(timeout=60)
    assert up.returncode == 130, said
    assert said == f"perfdb: interrupted; nothing is left of the cluster {places.name!r}.\n"
    nothing_left(places, before)


def test_a_daemon_that_fails_is_told_with_its_last_words_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a stand-in slurmd on PATH: a real one cannot be made to fail alone."""
    stand_in = tmp_path / "slurmd"
    stand_in.write_text(
        f'#!/bin/sh\n[ "$1" = -V ] && exec {find("slurmd")} -V\necho "slurmd: fatal: no room" >&2\nexit 3\n'
    )
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    places = fresh()
    before = Machine.now(places)
    with pytest.raises(ClusterError, match=r"slurmd-n0 ended with code 3 .*slurmd: fatal: no room"):
        cluster.up(places, TWO, print)
    nothing_left(places, before)


@pytest.mark.skipif(os.getuid() != 0, reason="whoever is not root tests it with every other test here")
def test_an_ordinary_user_has_a_cluster_too(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    for parent in tmp_path.parents:
        if parent != Path("/tmp") and Path("/tmp") in parent.parents:
            parent.chmod(0o755)
    child = multiprocessing.get_context("fork").Process(target=_as_nobody, args=(tmp_path / "told",))
    child.start()
    child.join(120)
    assert child.exitcode == 0
    assert (tmp_path / "told").read_text() == "65534 n0"
    assert not list(Path("/tmp").glob("perfdb-65534-*"))


def _as_nobody(told: Path) -> None:
    """In a process of its own: there is no way back to root."""
    os.environ["HOME"] = str(told.parent)
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
    with running(Options(nodes=1)) as places:
        told.write_text(slurm(places, "srun", "sh", "-c", "echo $(id -u) $SLURMD_NODENAME"))


def test_a_folder_or_link_that_somebody_planted_is_refused(tmp_path: Path) -> None:
    planted = fresh().folder
    planted.symlink_to(tmp_path / "nothing yet")
    try:
        with pytest.raises(ClusterError, match="not a folder that only you can reach"):
            Places.of(planted.name.rpartition("-")[2])
    finally:
        planted.unlink()
    planted.mkdir(mode=0o755)
    try:
        with pytest.raises(ClusterError, match="not a folder that only you can reach"):
            Places.of(planted.name.rpartition("-")[2])
        (planted / "slurm.conf").touch()
        assert Places.of_conf(planted / "slurm.conf") is None
    finally:
        shutil.rmtree(planted)


@pytest.mark.drill
def test_sigkill_of_up_or_down_at_any_moment_leaves_nothing_that_down_does_not_end(drill_share: float) -> None:
    """The moments are drawn over the whole of an `up` and a `down` of known length, by a seeded generator."""
    chance = random.Random(20261121)
    places = fresh()
    before = Machine.now(places)
    lengths = {}
    for verb in ("up", "down"):
        begun = time.monotonic()
        command = perfdb("cluster", verb, "--name", places.name, *_QUICK[verb])
        assert command.wait(60) == 0, command.communicate()
        lengths[verb] = time.monotonic() - begun
    for turn in range(max(4, round(60 * drill_share))):
        verbs = ("up",) if turn % 2 else ("up", "down")
        for verb in verbs:
            command = perfdb("cluster", verb, "--name", places.name, *_QUICK[verb])
            if verb == verbs[-1]:
                try:
                    command.wait(chance.uniform(0.1, lengths[verb]))
                except subprocess.TimeoutExpired:
                    command.kill()
            command.wait(60)
        down = perfdb("cluster", "down", "--name", places.name)
        assert down.wait(120) == 0, down.communicate()
        nothing_left(places, before)


_QUICK = {"up": ("--nodes", "2"), "down": ()}


@pytest.mark.drill
def test_up_and_down_ten_times_in_a_row_leave_no_process_port_mount_or_file(drill_share: float) -> None:
    places = fresh()
    before = Machine.now(places)
    for _ in range(max(2, round(10 * drill_share))):
        up = perfdb("cluster", "up", "--name", places.name)
        assert up.wait(60) == 0, up.communicate()
        ports = ports_of(places)
        assert slurm(places, "srun", "-N4", "echo", "here").split() == ["here"] * 4
        down = perfdb("cluster", "down", "--name", places.name)
        assert down.wait(60) == 0, down.communicate()
        nothing_left(places, before)
        assert can_listen(ports)
