"""artifacts/jobs.json: a run's cluster jobs in the batch system's own times and words, without a real name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from perfdb.capture.machine import pseudonym
from perfdb.families import ChildRun
from perfdb.platforms import Job
from perfdb.record.canonical import canonical_bytes

JOBS_FILE = "artifacts/jobs.json"
_ODD = re.compile(r"[^A-Za-z0-9_-]")
_WORDS = re.compile(r"[A-Za-z0-9_; ]{1,200}")


def jobs_file(runs: Sequence[ChildRun], host_key: str) -> bytes | None:
    """The file, as canonical JSON; None for a run without cluster jobs.

    Args:
        runs: The run's children.
        host_key: Turns the nodes' names into the pseudonyms that the record's hosts have.
    """
    jobs = [{"child": run.log.name, **_document(job, host_key)} for run in runs for job in run.jobs]
    return canonical_bytes({"schema_version": 1, "jobs": jobs}) if jobs else None


def under_pseudonyms(run: ChildRun, host_key: str) -> ChildRun:
    """The run with its nodes named as tasks name them, so that a family can tell which task ran where."""
    jobs = [
        job.model_copy(
            update={
                "nodes": tuple(pseudonym(host_key, node) for node in job.nodes),
                "boots": tuple(b.model_copy(update={"node": pseudonym(host_key, b.node)}) for b in job.boots),
            }
        )
        for job in run.jobs
    ]
    return replace(run, jobs=tuple(jobs))


def _document(job: Job, host_key: str) -> dict[str, Any]:
    stamps = job.model_dump(mode="json", include={"pending", "allocated", "started", "ended"}, exclude_none=True)
    boots = [
        {**boot.model_dump(mode="json", exclude={"node"}, exclude_none=True), "node": pseudonym(host_key, boot.node)}
        for boot in job.boots
    ]
    words = {"state": _words(job.state), "why": _words(job.why)}
    return {
        # `4711.pbs01.example.org`: what follows the number names a host.
        "job_id": _ODD.sub("_", job.job_id.partition(".")[0])[:100],
        **stamps,
        **{name: text for name, text in words.items() if text is not None},
        "nodes": [pseudonym(host_key, node) for node in job.nodes],
        "boots": boots,
    }


def _words(text: str | None) -> str | None:
    return text if text is not None and _WORDS.fullmatch(text) else None
