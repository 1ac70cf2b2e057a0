"""The records' own pages: by two processes where there are many."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from perfdb.errors import PerfdbError, RegistryError
from perfdb.record import Annotation, Retraction
from perfdb.registry.durable import cannot_write
from perfdb.registry.remarks import Remarks
from perfdb.report.site.contents import Progress
from perfdb.report.site.folder import KEPT
from perfdb.report.site.record_page import Relation, Task, write_record_page
from perfdb.report.site.render import Writer

# Below this a second process takes longer to start than it saves.
MANY = 400
STRIDE = 200


def write_record_pages(
    root: Path, tasks: Sequence[Task], building: Path, common: Mapping[str, Any], progress: Progress
) -> None:
    """Write a page for each record.

    Raises:
        RegistryError: a page can't be written, or its record changed.
        RecordError: a record can't be read any more.
    """
    writer = Writer(building, common)
    half = len(tasks) // 2 if len(tasks) >= MANY else len(tasks)
    with _Child(root, tasks[half:], building, common) as child:
        for number, task in enumerate(tasks[:half], 1):
            write_record_page(root, task, writer)
            if number % STRIDE == 0:
                progress("pages", min(len(tasks), number * len(tasks) // half), len(tasks))
        child.finish()
    progress("pages", len(tasks), len(tasks))


class _Child:
    """A second process that writes some of the pages; none where there are none for it. No fork: whoever imports perfdb
    may have threads; no multiprocessing: it would run that program once more."""

    def __init__(self, root: Path, tasks: Sequence[Task], building: Path, common: Mapping[str, Any]) -> None:
        self._process = None
        if not tasks:
            return
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "perfdb.report.site.record_pages"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        asked = {
            "root": str(root),
            "building": str(building),
            "common": common,
            "tasks": [_plain(task) for task in tasks],
        }
        assert self._process.stdin is not None
        with contextlib.suppress(OSError), self._process.stdin as stdin:
            stdin.write(json.dumps(asked).encode())

    def __enter__(self) -> _Child:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is None:
            return
        with contextlib.suppress(OSError):
            self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def finish(self) -> None:
        """Wait for its last page.

        Raises:
            RegistryError: it could not write them all; says why.
        """
        if self._process is None or self._process.stdout is None:
            return
        said = self._process.stdout.read().decode(errors="replace").strip()
        if self._process.wait() != 0:
            raise RegistryError(
                said or "the process that writes half of the pages was ended: type the same command again."
            )


def _plain(task: Task) -> dict[str, Any]:
    return {
        "folder": task.folder,
        "retraction": task.remarks.retraction.to_bytes().decode() if task.remarks.retraction else None,
        "annotations": [remark.to_bytes().decode() for remark in task.remarks.annotations],
        "mark": list(task.mark),
        "relations": [asdict(other) for other in task.relations],
        "sitting": [asdict(other) for other in task.sitting],
    }


def _task(plain: Mapping[str, Any]) -> Task:
    retraction = plain["retraction"]
    return Task(
        plain["folder"],
        Remarks(
            Retraction.model_validate_json(retraction) if retraction else None,
            tuple(Annotation.model_validate_json(text) for text in plain["annotations"]),
        ),
        (plain["mark"][0], plain["mark"][1], plain["mark"][2]),
        tuple(Relation(**other) for other in plain["relations"]),
        tuple(Relation(**other) for other in plain["sitting"]),
    )


def _answer() -> int:
    """In the child: tasks in, pages out; what went wrong on standard output."""
    asked = json.loads(sys.stdin.buffer.read())
    writer = Writer(Path(asked["building"]), asked["common"])
    try:
        for plain in asked["tasks"]:
            write_record_page(Path(asked["root"]), _task(plain), writer)
    except PerfdbError as error:
        sys.stdout.write(str(error))
        return 1
    except OSError as error:
        sys.stdout.write(str(cannot_write(Path(asked["building"]), error, KEPT)))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_answer())
