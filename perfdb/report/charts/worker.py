"""`python -m perfdb.report.charts.worker`: draws records' charts, one record after another, until its input ends.

A process of its own, since the engine that draws is one in C++ that may take memory, hang or fall over without harm to the
run whose charts they are. When its parent dies, the next line never comes and it ends.

    stdin, a JSON object a line           stdout, a JSON object a line
    {"folder": ..., "into": ...}          {"files": [...]}   SVG files in `into`, in the order of the charts
    anything that fails                   {"error": "…"}
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from perfdb.errors import PerfdbError
from perfdb.registry.store import RECORD_FILE, read_record
from perfdb.report.charts.described import descriptions_of
from perfdb.report.charts.drawing import svg
from perfdb.report.charts.record_charts import charts_of
from perfdb.report.charts.samples import read_samples


def main() -> None:
    """Serve the lines on stdin until it ends."""
    voice = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever the engine prints is no answer of ours
    for line in sys.stdin:
        job = json.loads(line)
        try:
            answer: dict[str, object] = {"files": drawn(Path(job["folder"]), Path(job["into"]))}
        except (PerfdbError, OSError, ValueError) as error:  # the engine's own errors are ValueErrors
            answer = {"error": str(error)}
        voice.write(json.dumps(answer) + "\n")
        voice.flush()


def drawn(folder: Path, into: Path) -> list[str]:
    """Draw the charts of the record in `folder`; the files, in order.

    Raises:
        RecordError: it is none that can be used.
        ValueError: a chart cannot be drawn.
    """
    record = read_record(folder / RECORD_FILE)
    into.mkdir(parents=True, exist_ok=True)
    files = []
    for number, chart in enumerate(charts_of(record, read_samples(record, folder), descriptions_of(record)), start=1):
        path = into / f"{number}-{chart.name}.svg"
        path.write_text(svg(chart.spec))
        files.append(str(path))
    return files


if __name__ == "__main__":
    main()
