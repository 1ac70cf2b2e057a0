"""MLflow, where records are shown: its version and its database's, the server, what is still to be sent."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urlsplit

from perfdb.cli.doctor.here import Here
from perfdb.cli.doctor.point import Point, place
from perfdb.units import bytes_, counted

SHOWING = "runs in MLflow, perfdb sync; measuring works without"
_OWN_AUTHENTICATION = ("MLFLOW_TRACKING_AUTH", "MLFLOW_TRACKING_AWS_SIGV4", "MLFLOW_TRACKING_CLIENT_CERT_PATH")
_LATER = "runs go on without; perfdb sync, once it answers; or unset MLFLOW_TRACKING_URI"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def look_at_database(here: Here) -> Iterator[Point]:
    """MLflow's version, and the age of the database, where it is a file."""
    from perfdb.tracking import Target
    from perfdb.tracking.probe import probe
    from perfdb.tracking.schema import age_of_database

    try:
        mlflow = version("mlflow")
    except PackageNotFoundError:
        return  # the line about packages tells
    yield Point("mlflow", "ok", mlflow, SHOWING)
    target = Target.of(here.settings)
    if target.is_http:
        return
    name = "mlflow database"
    if target.database is None:
        yield _other(here)
        return
    shown = place(target.database, here.settings)
    if target.database.is_dir():
        yield Point(name, "fix", f"{shown} is a folder", SHOWING, f"mv {shown} {shown}.old; perfdb sync")
        return
    if not target.database.is_file() or not target.database.stat().st_size:
        yield Point(name, "ok", f"{shown} is not there yet, and made by the first run", SHOWING)
        return
    move = f"perfdb server stop; mv {shown} {shown}.old; perfdb sync"
    if fault := probe(target, here.left_s() / 2):
        what = fault.split(". ")[0]
        fix = f"see who uses it: fuser {shown}" if "locked" in what else move
        yield Point(name, "fix", f"{shown} {what}", SHOWING, fix)
        return
    if not os.access(target.database, os.W_OK):
        fix = f"chmod u+w {shown}, or have its owner let you: ls -l {shown}"
        yield Point(name, "fix", f"{shown} cannot be written", SHOWING, fix)
        return
    try:
        age = age_of_database(target.database, wait_s=here.left_s())
    except sqlite3.Error as error:
        yield Point(name, "fix", f"{shown} cannot be read: {error}", SHOWING, move)
        return
    size = bytes_(target.database.stat().st_size)
    if age == "older":
        # Our own can be made anew from the records; another's may hold more.
        fix = move if here.settings.tracking_is_local else "copy it, then: mlflow db upgrade $MLFLOW_TRACKING_URI"
        yield Point(name, "fix", f"{shown} was made for an older MLflow than {mlflow}", SHOWING, fix)
    elif age == "newer":
        yield Point(
            name, "fix", f"{shown} was made for a newer MLflow than {mlflow}", SHOWING, f"update MLflow, or: {move}"
        )
    elif age is None:
        yield Point(name, "note", f"{shown} ({size}) holds no schema of MLflow's", SHOWING, move)
    else:
        yield Point(name, "ok", f"{shown}, {size}, of this MLflow's age", SHOWING)


def look_at_server(here: Here) -> Iterator[Point]:
    """The local server, or the one that MLFLOW_TRACKING_URI names: does it answer, does it let us in."""
    from perfdb.tracking import Target, server
    from perfdb.tracking.probe import answers

    name, settings = "mlflow server", here.settings
    if Target.of(settings).is_http:
        yield _remote(here)
        return
    running = server.status(settings)
    if running is None and settings.server_port and not server.is_free(settings.server_port):
        told = f"none runs, and port {settings.server_port}, where it should listen, is taken by another program"
        fix = "export PERFDB_SERVER_PORT=0 for the next free port, or the number of a free one"
        yield Point(name, "fix", told, "looking at runs", fix)
    elif running is None:
        yield Point(name, "ok", "none runs; a run, or perfdb server start, starts one", "looking at runs")
    elif answers(running.url, here.left_s()):
        yield Point(name, "ok", f"answers at {running.url}", "looking at runs")
    else:
        fix = "perfdb server stop; perfdb server start"
        yield Point(name, "fix", f"runs and does not answer at {running.url}", "looking at runs", fix)


def look_at_backlog(here: Here) -> Iterator[Point]:
    """How many records MLflow does not show yet."""
    from perfdb.registry import Registry
    from perfdb.tracking import Target
    from perfdb.tracking.backlog import backlog

    name, target = "mlflow backlog", Target.of(here.settings)
    ids = [folder.name for folder in Registry(here.settings.registry_path).folders()]
    records = counted(len(ids), "record")
    if target.database is None:
        yield Point(name, "ok", f"{records} here; `perfdb sync` tells what MLflow lacks", SHOWING)
        return
    missing = len(set(ids))
    try:
        if target.database.is_file() and target.database.stat().st_size:
            missing = backlog(target.database, here.settings.registry_path, ids, wait_s=here.left_s())
    except sqlite3.Error as error:
        yield Point(
            name, "note", f"cannot be told: {error}", SHOWING, "perfdb doctor mlflow, once the database is mended"
        )
        return
    if missing:
        yield Point(name, "note", f"{missing:,} of {records} not shown yet", SHOWING, "perfdb sync")
    else:
        yield Point(name, "ok", f"none: {records}, all shown", SHOWING)


def _other(here: Here) -> Point:
    """A database that is no file, or what is no address at all."""
    from perfdb.tracking import Target
    from perfdb.tracking.probe import probe

    target = Target.of(here.settings)
    fault = probe(target, here.left_s() / 2)
    if fault is None:
        return Point("mlflow database", "ok", "one that only MLflow can look into", SHOWING)
    try:
        host = urlsplit(target.uri).hostname
    except ValueError:
        host = None
    what, _, fix = without_host(fault, host).partition(". ")
    return Point("mlflow database", "fix", f"the one of MLFLOW_TRACKING_URI {what}", SHOWING, fix or _LATER)


def _remote(here: Here) -> Point:
    from perfdb.tracking import shown
    from perfdb.tracking.admission import knock
    from perfdb.tracking.probe import probe
    from perfdb.tracking.signin import how_to_sign_in
    from perfdb.tracking.target import Target

    name, target = "mlflow server", Target.of(here.settings)
    try:
        host = urlsplit(target.uri).hostname
    except ValueError:
        host = None
    # Its name is nobody's business but its users'.
    which = f"the one at {shown(target.uri)}" if host in _LOOPBACK else "the one of MLFLOW_TRACKING_URI"
    if fault := probe(target, here.left_s() / 2):
        return Point(name, "fix", f"{which} {without_host(fault, host)}", SHOWING, _LATER)
    if any(os.environ.get(variable) for variable in _OWN_AUTHENTICATION):
        return Point(name, "ok", f"{which} answers; how it lets us in is set up by MLflow's own variables", SHOWING)
    trusted = os.environ.get("MLFLOW_TRACKING_SERVER_CERT_PATH")
    if trusted and not Path(trusted).exists():
        told = "MLFLOW_TRACKING_SERVER_CERT_PATH names a file that is not there"
        return Point(name, "fix", told, SHOWING, "put the file there, or unset MLFLOW_TRACKING_SERVER_CERT_PATH")
    found = knock(target.uri, here.left_s() / 2)
    if found.outcome == "in":
        told = f"{which} answers and lets us in"
        try:
            ours = version("mlflow")
        except PackageNotFoundError:
            ours = ""
        if found.version and ours.split(".")[0] != found.version.split(".")[0]:
            fix = "have both of one major version"
            return Point(name, "note", f"{told}; it is MLflow {found.version}, here is {ours or 'none'}", SHOWING, fix)
        return Point(name, "ok", told + (f"; MLflow {found.version}" if found.version else ""), SHOWING)
    if found.outcome == "unknown":
        what, _, fix = how_to_sign_in(target.uri).partition(". ")
        return Point(name, "fix", f"{which} {what}", SHOWING, fix)
    if found.outcome == "forbidden":
        fix = "ask whoever runs it: this account may do too little, or MLFLOW_SERVER_ALLOWED_HOSTS lacks its name"
        return Point(name, "fix", f"{which} refuses us ({found.told})", SHOWING, fix)
    if found.outcome == "stranger":
        fix = "mend MLFLOW_TRACKING_URI: scheme, port and path"
        return Point(name, "fix", f"{which} answers, and not as MLflow does ({found.told})", SHOWING, fix)
    fix = _LATER
    if "CERTIFICATE_VERIFY_FAILED" in found.told:
        fix = "check the address; if it is right: export MLFLOW_TRACKING_SERVER_CERT_PATH=FILE of who signed its certificate"
    return Point(name, "fix", f"{which} does not answer as it should: {without_host(found.told, host)}", SHOWING, fix)


def without_host(text: str, host: str | None) -> str:
    """What was said, without the name of a server: a refused certificate names it."""
    return text.replace(host, "its host") if host and host not in _LOOPBACK else text
