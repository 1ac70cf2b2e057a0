"""Starting a cluster and ending it."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

from perfdb.errors import ClusterError
from perfdb.platforms.pocket import accounting, addresses, conf, daemons, power, traces
from perfdb.platforms.pocket.commands import ask
from perfdb.platforms.pocket.options import Options
from perfdb.platforms.pocket.places import Description, Places
from perfdb.platforms.pocket.ports import choose
from perfdb.platforms.pocket.programs import Programs
from perfdb.platforms.pocket.status import Status, job_ids, node_states, status
from perfdb.processes.lock import Lock
from perfdb.processes.tree import end

LOCK_PATIENCE_S = 90.0
# After that its processes are ended like any other.
_JOBS_PATIENCE_S = 3.0
_END_PATIENCE_S = 30.0
_TERM_GRACE_S = 3.0
_PAUSE_S = 0.1

Say = Callable[[str], None]


def up(places: Places, options: Options, say: Say) -> Status:
    """Start the cluster, or find that it runs.

    Raises:
        ClusterError: packages are missing, one of that name runs with other options or is half dead, a daemon fails.
    """
    programs = Programs.found()
    if options.accounting:
        accounting.check()
    with _lock(places, say):
        now = status(places)
        if now.up and now.description is not None:
            return _the_same(places, options, now)
        if now.processes:
            _refuse_to_lose_jobs(places, now)
            say(f"ending what a crash left of the cluster {places.name!r}")
            _end_processes(places)
        if places.folder.exists():
            say(f"the cluster {places.name!r} is gone, by a crash or a reboot; it starts anew, without its old jobs")
            _clear(places)
        try:
            _start(places, options, programs, say)
        except BaseException:
            _end(places, say)
            raise
        return status(places)


def down(places: Places, say: Say) -> bool:
    """End the cluster, its jobs included, and remove all of it; however much of it is left.

    Returns:
        Whether there was anything.

    Raises:
        ClusterError: something can't be ended.
    """
    with _lock(places, say):
        was_there = places.folder.exists() or bool(traces.processes(places))
        _end(places, say)
    return was_there


def _lock(places: Places, say: Say) -> Lock:
    told = f"another `perfdb cluster up` or `down` sees to the cluster {places.name!r}, or was killed just now; waiting"
    return Lock(places.lock, LOCK_PATIENCE_S, lambda: say(told))


def _refuse_to_lose_jobs(places: Places, now: Status) -> None:
    """Of a cluster that is half dead.

    Raises:
        ClusterError: it has jobs, or may have.
    """
    if not _may_have_jobs(places, now):
        return
    silent = now.dead or ("slurmctld",)
    raise ClusterError(
        f"the cluster {places.name!r} runs only in part: {', '.join(silent)} {'does' if len(silent) == 1 else 'do'} not "
        f"answer. End what is left of it, jobs included, with `{_down_command(places)}`, then start it again."
    )


def _may_have_jobs(places: Places, now: Status) -> bool:
    names = traces.names(places)
    if "slurmctld" not in names:
        return "slurmstepd" in names
    listed = ask(places, "squeue", "--noheader", "--format=%A") if now.answers else None
    return listed is None or bool(listed.split())


def _the_same(places: Places, options: Options, now: Status) -> Status:
    assert now.description is not None
    running = now.description.options
    if running == options:
        return now
    raise ClusterError(
        f"the cluster {places.name!r} runs already, as `{running.command(places.name)}`. End it with "
        f"`{_down_command(places)}` first, or start another beside it with --name."
    )


def _down_command(places: Places) -> str:
    return f"perfdb cluster down --name {places.name}"


def _start(places: Places, options: Options, programs: Programs, say: Say) -> None:
    closed = addresses.is_closed()
    if not closed:
        say(addresses.open_sentence())
    description = Description(options=options, ports=choose(options.nodes), slurmd_program=programs.slurmd)
    _write(places, description, programs.version(), closed=closed)
    munged = daemons.start(
        places,
        "munged",
        [
            programs.munged,
            "--foreground",
            # Nobody but us may reach the socket; munged wants it to be open to all, and says so without --force.
            "--force",
            f"--key-file={places.munge_key}",
            f"--socket={places.munge_socket}",
            f"--pid-file={places.munge}/pid",
            f"--log-file={places.log('munged')}",
            f"--seed-file={places.munge}/seed",
        ],
    )
    munged.wait_until(lambda: _answers(places.munge_socket))
    if options.accounting:
        accounting.start(places, description.ports, closed=closed)
    slurmctld = daemons.start(places, "slurmctld", [programs.slurmctld, "-D", "-f", str(places.conf)])
    slurmctld.wait_until(lambda: ask(places, "scontrol", "ping") is not None)
    if options.cloud:
        slurmctld.wait_until(lambda: len(node_states(places)) == options.nodes)
        return
    nodes = {
        name: daemons.start(places, f"slurmd-{name}", [programs.slurmd, "-D", "-N", name, "-f", str(places.conf)])
        for name in options.node_names
    }
    for name, slurmd in nodes.items():
        slurmd.wait_until(lambda name=name: node_states(places).get(name) == "idle")  # type: ignore[misc]


def _write(places: Places, description: Description, version: tuple[int, int], *, closed: bool) -> None:
    options = description.options
    old_mask = os.umask(0o077)
    try:
        places.folder.mkdir()
        for folder in places.folders:
            folder.mkdir()
        for name in options.node_names:
            (places.spool / name).mkdir()
        places.description_file.write_text(description.model_dump_json(indent=2) + "\n")
        places.munge_key.write_bytes(secrets.token_bytes(128))
        places.munge_key.chmod(0o400)
        text = conf.slurm_conf(
            options,
            places,
            description.ports,
            host=socket.gethostname().partition(".")[0],
            user=_user(),
            memory_mb=_memory_mb(options.nodes),
            closed=closed,
            accounting=accounting.conf_lines(places, description.ports) if options.accounting else (),
        )
        places.conf.write_text(text)
        places.cgroup_conf.write_text(conf.cgroup_conf(version))
        for program, what in (("resume", "up"), ("suspend", "down"), ("ready", "ready")):
            path = places.power / program
            path.write_text(conf.power_program(places, sys.executable, Path(power.__file__), what))
            path.chmod(0o700)
    except OSError as error:
        raise ClusterError(
            f"the cluster's folder {places.folder} could not be written: {error.strerror}. Mend that and try again."
        ) from error
    finally:
        os.umask(old_mask)


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        raise ClusterError(
            f"your account, number {os.getuid()}, has no name on this machine, and Slurm needs one. Use an account that "
            "`getent passwd` lists, or ask an administrator for one."
        ) from None


def _memory_mb(nodes: int) -> int:
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return max(1, int(whole / nodes))


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def _end(places: Places, say: Say) -> None:
    _cancel_jobs(places, say)
    _end_processes(places)
    _clear(places)


def _cancel_jobs(places: Places, say: Say) -> None:
    """slurmd's that are ended while a job runs leave its slurmstepd behind."""
    jobs = status(places).jobs
    if not jobs:
        return
    say(f"cancelling {len(jobs)} job{'s' if len(jobs) > 1 else ''}")
    ask(places, "scancel", "--full", "--signal=KILL", *jobs)
    ask(places, "scancel", *jobs)
    deadline = time.monotonic() + _JOBS_PATIENCE_S
    while job_ids(places) and time.monotonic() < deadline:
        time.sleep(_PAUSE_S)


def _end_processes(places: Places) -> None:
    deadline = time.monotonic() + _END_PATIENCE_S
    while left := traces.processes(places):
        if time.monotonic() > deadline:
            raise ClusterError(
                f"{len(left)} processes of the cluster {places.name!r} can't be ended: "
                f"{', '.join(str(process.pid) for process in left)}. Look at them with `ps -fp PID`; once they are gone, "
                f"`{_down_command(places)}` removes the rest."
            )
        # munged last: without it the others don't end by themselves. It takes its time, and has nothing to save.
        others = [process for process in left if process.name() != "munged"]
        end(others or left, grace_s=_TERM_GRACE_S if others else 0)


def _clear(places: Places) -> None:
    description = places.description()
    try:
        shutil.rmtree(places.folder)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise ClusterError(
            f"the cluster's folder {places.folder} could not be removed: {error.strerror}. Remove it and try again."
        ) from error
    if description is None:
        return
    deadline = time.monotonic() + _END_PATIENCE_S
    while traces.listening(description.ports, description.options.nodes) and time.monotonic() < deadline:
        time.sleep(_PAUSE_S)
