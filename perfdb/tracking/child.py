"""`python -m perfdb.tracking.child`: the process that imports MLflow, so that the one that measures need not.

It can be killed at any moment: MLflow then has a half-sent run, which the next `perfdb sync` completes. Between two
jobs it waits for a line and uses no CPU; when its parent dies, that line never comes and it ends.

    stdin, a JSON object a line    stdout, a JSON object a line
    {"target": {...}, ...}         {"alive": true}   something answers there
                                   {"ready": true}   MLflow is imported
    {"do": ..., "queue_s": 60}     {"begun": true}   a local database is free, and it is our turn
    {"do": "open", ...}            {"run_id": ..., "experiment_id": ..., "outcome": ...}
    {"do": "mirror", ...}          the same
    {"do": "sync", ...}            {"record_id": ..., "result": ..., "error": ...} each, then {"done": true}
    {"do": "runs"}                 {"run": {...}} each, then {"done": true}
    {"do": "bare", "newest": 100}  {"record_id": ..., "run_id": ...} each, then {"done": true}
    {"do": "charts", ...}          {"done": true}
    {"do": "comparison", ...}      the same as of "open"
    anything that fails            {"error": "a paragraph"}
"""

from __future__ import annotations

import ctypes
import json
import math
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from perfdb.errors import PerfdbError
from perfdb.tracking.faults import trouble
from perfdb.tracking.probe import probe
from perfdb.tracking.target import Target

PR_SET_PDEATHSIG = 1
# Should the parent be killed while we hang on a server, we must not outlive it for long.
GRACE_S = 2


def main() -> None:
    """Serve the jobs on stdin until it ends."""
    if sys.platform == "linux":
        # We may be busy for seconds with an import when the parent is killed: the kernel sees to it that we follow.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    voice = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever MLflow prints is no answer of ours
    hello = json.loads(sys.stdin.readline())
    target = Target(**hello["target"])
    if fault := probe(target, hello["probe_s"]):
        _say(voice, {"error": str(trouble(target.uri, fault)), "spent_s": hello["probe_s"]})
        return
    _say(voice, {"alive": True})
    try:
        from perfdb.tracking.door import import_mlflow

        import_mlflow(target, timeout_s=hello["request_timeout_s"], retries=hello["retries"])
    except PerfdbError as error:
        _say(voice, {"error": str(error)})
        return
    _say(voice, {"ready": True})
    client: Any = None
    for line in sys.stdin:
        job = json.loads(line)
        if job["limit_s"] is not None:
            signal.alarm(math.ceil(job["limit_s"]) + GRACE_S)
        try:
            from perfdb.tracking.door import await_database, connect

            if job["queue_s"] is not None:
                await_database(target, queue_s=job["queue_s"], wait_s=job["wait_s"])
                job["wait_s"] = job["queue_s"]
                _say(voice, {"begun": True})
            if client is None:
                client = connect(target, wait_s=job["wait_s"])
            for answer in _done(client, target, job):
                _say(voice, answer)
        except PerfdbError as error:
            _say(voice, {"error": str(error)})
        signal.alarm(0)


def _done(client: Any, target: Target, job: dict[str, Any]) -> Iterator[dict[str, Any]]:
    from perfdb.registry.remarks import remarks_of, remarks_on
    from perfdb.registry.store import RECORD_FILE, read_record
    from perfdb.tracking import charts, mirror
    from perfdb.tracking.sync import sync

    wait_s = job["wait_s"]
    if job["do"] == "open":
        fields = {name: job[name] for name in ("experiment", "run_name", "started_ms", "tags")}
        yield asdict(mirror.open_run(client, target, **fields, wait_s=wait_s))
    elif job["do"] == "mirror":
        folder = Path(job["folder"])
        names = {name: job[name] for name in ("run_id", "journal")}
        record = read_record(folder / RECORD_FILE)
        said = remarks_on(record.record_id, Path(job["registry"]))
        yield asdict(mirror.mirror_record(client, target, record, folder, **names, remarks=said, wait_s=wait_s))
    elif job["do"] == "bare":
        for bare in charts.bare_over(client, target, job["newest"]):
            yield asdict(bare)
        yield {"done": True}
    elif job["do"] == "charts":
        charts.send_charts(client, target, job["run_id"], [Path(file) for file in job["files"]])
        yield {"done": True}
    elif job["do"] == "comparison":
        from perfdb.compare.comparison import Comparison
        from perfdb.tracking.comparison import write_comparison

        chart = Path(job["chart"]) if job["chart"] else None
        document = Comparison.model_validate_json(json.dumps(job["document"]))
        yield asdict(write_comparison(client, target, document, chart, wait_s=wait_s))
    elif job["do"] == "runs":
        from perfdb.tracking.reading import runs_of

        for run in runs_of(client, target):
            yield {"run": run}
        yield {"done": True}
    else:
        items = [mirror.SyncItem(**item) for item in job["items"]]
        said_of = remarks_of(Path(job["registry"]))
        for step in sync(client, target, items, lambda f: read_record(Path(f) / RECORD_FILE), said_of, wait_s=wait_s):
            yield asdict(step)
        yield {"done": True}


def _say(voice: TextIO, answer: dict[str, Any]) -> None:
    voice.write(json.dumps(answer) + "\n")
    voice.flush()


if __name__ == "__main__":
    main()
    sys.stderr.flush()
    os._exit(0)  # all is said and sent: MLflow's own farewell takes time that somebody waits for
