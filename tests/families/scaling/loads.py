"""Loads on a small service, both real."""

from __future__ import annotations

import functools
import importlib
import itertools
import json
import os
import resource
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from perfdb.families import scaling
from perfdb.families.scaling.clients.answers import Answer, read_answers
from perfdb.families.scaling.clients.merge import Load, merge
from perfdb.families.scaling.plan import LoadPlan
from perfdb.processes.log import Line

CHILD = Path(scaling.__file__).parent / "child"
BY_HAND = "import program; sys.exit(program.main(*map(int, sys.argv[1:])))"


@dataclass(frozen=True)
class Service:
    """One that runs."""

    url: str

    def stats(self) -> dict[str, int]:
        """What it counted itself."""
        with urllib.request.urlopen(f"{self.url}/stats", timeout=30) as answer:
            return dict(json.load(answer))


@functools.cache
def _process() -> tuple[subprocess.Popen[str], int]:
    """The program of `service.py` and its port; it ends with us, for nobody holds its standard input then."""
    program = Path(__file__).with_name("service.py")
    process = subprocess.Popen([sys.executable, str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, int(process.stdout.readline())


_numbers = itertools.count()


def service(**planted: Any) -> Service:
    """A service with these faults, see `service.py`. It has counts of its own."""
    _, port = _process()
    named = urllib.parse.quote(json.dumps({"name": next(_numbers), **planted}), safe="")
    return Service(f"http://127.0.0.1:{port}/{named}")


def start(
    plan: LoadPlan, first: int = 0, count: int | None = None, most_files: int = 0, having: str = ""
) -> subprocess.Popen[str]:
    """The program with clients of a plan, all of them unless told otherwise.

    Args:
        most_files: That each client may have open.
        having: Statements to run before it in the same process.
    """
    shares = [str(first), str(count or plan.clients)]
    program = [str(CHILD / "program.py")]
    if having:
        program = ["-c", f"import sys; sys.path[:0] = {[str(CHILD), str(CHILD.parent)]}; {having}; {BY_HAND}"]
    return subprocess.Popen(
        [sys.executable, *program, *shares],
        env={**os.environ, "PERFDB_LOAD_PLAN": plan.model_dump_json(), "PERFDB_HOST_KEY": "key"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most_files,) * 2)) if most_files else None,  # noqa: PLW1509
    )


def answers(said: str) -> tuple[Answer, ...]:
    """What it said; each line is an answer."""
    lines = said.splitlines()
    read = read_answers(tuple(Line(0.0, "stdout", text) for text in lines))
    assert len(read) == len(lines), "a line that is no answer"
    return read


def told(url: str, **fields: Any) -> tuple[Answer, ...]:
    """A load from beginning to end."""
    process = start(LoadPlan(url=url, **fields))
    said, trouble = process.communicate(timeout=60)
    assert (process.returncode, trouble) == (0, "")
    return answers(said)


def load(url: str, **fields: Any) -> Load:
    """The same, merged."""
    merged = merge(told(url, **fields))
    assert merged.complete
    assert len(merged.told) == sum(merged.all.values())
    return merged


def watch_modules(*names: str) -> list[ModuleType]:
    """Modules of who watches a service."""
    return child_modules(*names, folders=(CHILD / "watch", CHILD))


def child_modules(*names: str, folders: Sequence[Path] = (CHILD, CHILD.parent)) -> list[ModuleType]:
    """Modules of the client, which is no package."""
    before = set(sys.modules)
    sys.path[:0] = map(str, folders)
    try:
        return [importlib.import_module(name) for name in names]
    finally:
        del sys.path[: len(folders)]
        for name in set(sys.modules) - before:
            if str(CHILD.parent) in str(getattr(sys.modules[name], "__file__", "")):
                del sys.modules[name]
