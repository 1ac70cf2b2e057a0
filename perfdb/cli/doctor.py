"""`perfdb doctor`: what is here, what is missing, what to type."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from perfdb.settings import Settings

SLOW_FSYNC_S = 0.1
ROOM_BYTES = 100 * 1024 * 1024


@dataclass(frozen=True)
class Point:
    """One thing looked at: how it is, and what to type if that is not well."""

    about: str
    state: Literal["ok", "note", "trouble"]
    found: str
    do: str = ""


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False) -> None:
    """Say what is here, what is missing, what to type.

    Exit code 1 when something would keep a run from working.
    """
    from perfdb.cli.terminal import print_json, printable
    from perfdb.errors import EXIT_ERROR
    from perfdb.settings import load_settings

    points = list(_examine(load_settings()))
    if as_json:
        print_json([asdict(point) for point in points])
    else:
        for point in points:
            mark = {"ok": "ok     ", "note": "note   ", "trouble": "TROUBLE"}[point.state]
            print(printable(f"{mark} {point.about:<14} {point.found}" + (f" -> {point.do}" if point.do else "")))
    if any(point.state == "trouble" for point in points):
        sys.exit(EXIT_ERROR)


def _examine(settings: Settings) -> Iterator[Point]:
    yield from _software()
    yield _folder("registry", settings.registry_path)
    yield _folder("state folder", settings.state_path)
    yield _room(settings.state_path)
    yield _machine(settings)
    yield _mlflow(settings)
    yield _unfinished(settings)
    yield _kept_logs(settings)
    yield from _clusters()


def _software() -> Iterator[Point]:
    from importlib.metadata import PackageNotFoundError, version

    yield Point("python", "ok", f"{sys.version.split()[0]}")
    for package in ("parsl", "mlflow", "pandas", "pydantic", "GitPython"):
        try:
            yield Point(package, "ok", version(package))
        except PackageNotFoundError:
            yield Point(package, "trouble", "not installed", "make setup")
    parsl_perf = Path(sys.executable).parent / "parsl-perf"
    if parsl_perf.exists():
        yield Point("parsl-perf", "ok", "beside this Python")
    else:
        yield Point("parsl-perf", "trouble", "not beside this Python", "make setup, or use --python EXE")
    # LocalProvider ends its blocks with it.
    if shutil.which("ps") is None:
        yield Point("ps", "trouble", "not found, and Parsl's LocalProvider needs it", "install procps")


def _folder(about: str, path: Path) -> Point:
    """Whether it can be written, and how long an fsync takes: network homes differ by a factor of a thousand."""
    from perfdb.errors import PerfdbError
    from perfdb.registry.durable import write_new
    from perfdb.registry.store import Registry

    try:
        Registry(path).check_writable()
        probe = path / f".staging-{uuid.uuid4().hex}"
        begun = time.monotonic()
        write_new(probe, b"perfdb")
        took = time.monotonic() - begun
        probe.unlink()
    except (PerfdbError, OSError) as error:
        return Point(about, "trouble", str(error))
    if took > SLOW_FSYNC_S:
        return Point(
            about,
            "note",
            f"writable, but an fsync takes {took:.2f} s",
            "set PERFDB_STATE_DIR to a folder on a local disk",
        )
    return Point(about, "ok", f"writable, fsync {took * 1e3:.1f} ms")


def _room(path: Path) -> Point:
    from perfdb.units import bytes_

    free = shutil.disk_usage(path if path.exists() else path.parent).free
    if free < ROOM_BYTES:
        return Point(
            "disk", "trouble", f"{bytes_(free)} free", "free some space: a run reserves 8 MiB and Parsl logs more"
        )
    return Point("disk", "ok", f"{bytes_(free)} free")


def _machine(settings: Settings) -> Point:
    from perfdb.record import LABEL_RULE, is_label

    if settings.machine is None:
        return Point(
            "machine",
            "note",
            "no label set: records carry this host's pseudonym",
            'on a site with several login nodes, write machine = "NAME" into perfdb.toml',
        )
    if not is_label(settings.machine):
        return Point("machine", "trouble", f"{settings.machine!r} cannot name a folder", LABEL_RULE)
    return Point("machine", "ok", settings.machine)


def _mlflow(settings: Settings) -> Point:
    from perfdb.tracking import Target, server, shown
    from perfdb.tracking.probe import probe

    if not settings.tracking_is_local and (fault := probe(Target.of(settings), 1.0)):
        what = f"{shown(settings.tracking_uri)} {fault}"
        return Point("MLflow", "note", what, "runs go on without it; `perfdb sync` once it answers")
    if not settings.tracking_is_local:
        return Point("MLflow", "ok", f"records are shown on {shown(settings.tracking_uri)}")
    running = server.status(settings)
    return Point(
        "MLflow", "ok", f"local database, server at {running.url}" if running else "local database, no server runs"
    )


def _kept_logs(settings: Settings) -> Point:
    kept = [path for path in settings.work_path.glob("*") if path.is_dir()]
    if kept:
        what = f"Parsl's own logs of {len(kept)} runs that did not end well, or still go on, in {settings.work_path}"
        return Point(
            "kept logs", "note", what, "delete those folders when you need them no more; they are not redacted"
        )
    return Point("kept logs", "ok", "none")


def _unfinished(settings: Settings) -> Point:
    from perfdb.registry import abandoned_journals
    from perfdb.runner.recover import waits

    journals = abandoned_journals(settings.state_path)
    waiting = sum(waits(journal, settings) for journal in journals)
    killed = len(journals) - waiting
    if waiting and not killed:
        told = f"{waiting} of an interrupted sweep, bisection or run wait"
        return Point("killed runs", "note", told, "the same command again, or perfdb sweep --drop")
    if killed:
        return Point("killed runs", "note", f"{killed} not filed yet", "perfdb sync")
    return Point("killed runs", "ok", "none")


def _clusters() -> Iterator[Point]:
    for command, what in (("sbatch", "Slurm"), ("kubectl", "Kubernetes"), ("flux", "Flux"), ("mpirun", "MPI")):
        found = shutil.which(command)
        yield Point(what, "ok" if found else "note", f"`{command}` {'found' if found else 'not found here'}")
    if shutil.which("sinfo"):
        done = subprocess.run(["sinfo", "--version"], capture_output=True, text=True, check=False, timeout=20)
        yield Point("Slurm version", "ok" if done.returncode == 0 else "note", done.stdout.strip() or "does not answer")
