"""The quick commands of docs/coming-from.md, typed one after another into an empty registry and an empty home."""

from __future__ import annotations

import csv
import json
import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from typer.testing import CliRunner

from perfdb.cli.app import app
from perfdb.errors import EXIT_DONE, EXIT_ERROR
from tests.cli.mini_slurm.homes import Home
from tests.registry.importers.sources import add_run, file_store, write_log

CHECKOUT = Path(__file__).parents[2]
# What is not run here, and why; ID of a record stands for any.
NOT_RUN = {
    "run-parsl-perf.py": "measures for minutes; tests/end_to_end/ does",
    "perfdb run autoscale": "the same",
    "perfdb run elastic": "the same",
    "perfdb run scaling": "needs a service; tests/end_to_end/ has one",
    "perfdb run schedulers clog --nodes 8": "needs a Slurm",
    "perfdb run schedulers size-2-3 --arms kubernetes:": "needs a Kubernetes cluster",
    "perfdb serve": "goes on until it is stopped; tests/services/ stops it",
    "perfdb preflight": "needs a service; tests/cli/test_preflight.py has one",
    "perfdb cluster": "starts a Slurm; tests/platforms/ does",
    "perfdb server": "starts and stops MLflow's pages; tests/tracking/ does",
    "perfdb contribute": "needs a remote; tests/contribute/ has one",
    "perfdb compare hopper birch": "needs records of two machines; tests/cli/test_compare.py has them",
    "perfdb autoscale allocation ID": "needs a record of autoscale; tests/cli/test_autoscale.py has one",
    "perfdb autoscale coldstart ID": "the same",
    "perfdb autoscale analyze": "the same",
    "perfdb import csv": "needs a mapping; tests/registry/importers/test_table.py has one",
    "mini-slurm scheduler": "goes on until it is stopped; one runs beside",
    "mini-slurm submit --shell": "reads a file; tests/cli/mini_slurm/test_submit.py has one",
}
# Programs and commands that are named, and do nothing by that alone.
NAMES = ("run-parsl-perf.py", "mini-slurm submit", "mini-slurm show")
ONE_HOST, TWO_HOSTS = "unique_hosts == 1", "unique_hosts == 2"


class Walk(NamedTuple):
    """What the commands printed, by the command, and every name that their tables, files and documents have."""

    printed: Mapping[str, str]
    names: frozenset[str]


def is_run(command: str) -> bool:
    """Whether it is more than a name, and needs nothing that is not here."""
    return command not in NAMES and not command.startswith(tuple(NOT_RUN))


def walk(place: Path, commands: Sequence[str]) -> Walk:
    """Type those that are run, what brings records first.

    Args:
        place: An empty folder, which is the current one and PERFDB_ROOT.
    """
    shutil.copytree(CHECKOUT / "examples", place / "examples")
    shutil.copytree(CHECKOUT / "docs" / "how-to", place / "docs" / "how-to")
    (place / "parsl-configs").mkdir()
    shutil.copy(CHECKOUT / "parsl-configs" / "local_threads.py", place / "parsl-configs")
    typed = [command for command in dict.fromkeys(commands) if is_run(command)]
    brings = [command for command in typed if command.startswith(("perfdb import", "perfdb run"))]
    printed = {command: in_process(_Filled(place, command).text) for command in brings}
    load_test(place / "two", hosts=2)
    in_process("perfdb import openenv two")
    for command in (c for c in typed if c.startswith("perfdb ") and c not in brings):
        printed[command] = in_process(_Filled(place, command).text)
    printed |= _of_mini_slurm(place / "home", [c for c in typed if c.startswith("mini-slurm ")])
    names = {key for text in (*printed.values(), in_process("perfdb scaling analyze --json")) for key in _keys_in(text)}
    for table in (place / "FOLDER.outputs").glob("*.csv"):
        names |= set(table.read_text().splitlines()[0].split(","))
    return Walk(printed, frozenset(names | set(printed["mini-slurm queue"].splitlines()[0].split())))


def in_process(command: str) -> str:
    """What it prints; it goes well."""
    done = CliRunner(env={"COLUMNS": "200"}).invoke(app, shlex.split(command)[1:], catch_exceptions=False)
    # The doctor says by its exit code what this machine lacks.
    assert done.exit_code in ((EXIT_DONE, EXIT_ERROR) if command == "perfdb doctor" else (EXIT_DONE,)), done.output
    return done.stdout


def load_test(folder: Path, hosts: int) -> None:
    """What the runbook's program wrote: a host bears 512 and not 1024 sessions, two twice as many."""
    folder.mkdir(parents=True)
    rows = [
        {
            "mode": "ws", "url": "http://127.0.0.1:8000", "num_requests": load, "batch_size": load, "wait_seconds": 1.0,
            "repetition": 1, "timestamp": "2025-08-28T21:37:47", "hardware": "x", "successful": load - lost, "failed": lost,
            "error_rate": lost / load, "total_p50": 1.1, "total_p99": 1.3, "unique_hosts": hosts,
        }
        for load, lost in ((512 * hosts, 0), (1024 * hosts, 512 * hosts))
    ]  # fmt: skip
    with (folder / "summary.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@dataclass
class _Filled:
    """A command with files and records of ours in the place of those that it stands for."""

    place: Path
    command: str

    @property
    def text(self) -> str:
        folder = self.place / f"source-{len(list(self.place.glob('source-*')))}"
        match self.command.split()[1:3]:
            case ["import", "parsl-perf-archive"]:
                add_run(file_store(self.place), params={"provider.max_blocks": "8"})
                (self.place / "store").rename(folder)
            case ["import", "openenv"]:
                load_test(folder, hosts=1)
            case ["import", "fluence"]:
                write_log(folder, "fluence-batch-0-iter-0-size-2")
                rows = "scheduler,experiment,total_time\ndefault,size-2,10.5\nfluence,size-2,12\n"
                (self.place / "FILE.csv").write_text(rows)
            case ["run", "schedulers"]:
                return f"{self.command} --no-server --outdir FOLDER.outputs"
            case ["export", _]:
                return self.command.replace("FILE", "exported")
        text = self.command.replace(" FOLDER", f" {folder.name}").replace(" LABEL", " birch")
        text = text.replace("--single ID", f"--single '{ONE_HOST}'").replace("--multi ID", f"--multi '{TWO_HOSTS}'")
        if " ID" in text:
            [record, *_] = json.loads(in_process(f"perfdb list '{ONE_HOST}' --json"))
            text = text.replace(" ID", f" {record['record_id']}")
        return text


def _of_mini_slurm(folder: Path, commands: Sequence[str]) -> dict[str, str]:
    home = Home(folder)
    shutil.copytree(CHECKOUT / "examples" / "mini-slurm", folder)
    printed = {}
    try:
        home.start("--mem", "16GB")
        for command in (*commands, "mini-slurm queue"):
            code, printed[command], err = home.told(*shlex.split(command)[1:])
            assert code == EXIT_DONE, err
    finally:
        home.close()
    return printed


def _keys_in(text: str) -> Iterator[str]:
    try:
        yield from _keys_of(json.loads(text))
    except ValueError:
        return


def _keys_of(document: Any) -> Iterator[str]:
    if isinstance(document, dict):
        yield from document
    parts = document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    for part in parts:
        yield from _keys_of(part)
