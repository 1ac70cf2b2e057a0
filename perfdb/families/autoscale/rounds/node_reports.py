"""Whether the nodes are fit for the rounds, by what they and their job scripts reported before the first one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TypeVar

from perfdb.families.autoscale.rounds.answers import (
    Answer,
    Begin,
    Block,
    Gone,
    LastWords,
    NodeReport,
    Registered,
    ScriptReport,
)
from perfdb.platforms import ON_SUBMIT_HOST

# A node of these has no folder in common with the submit host, and Parsl wants none there.
NO_SHARED_FOLDER = frozenset({"KubernetesProvider", "AWSProvider", "AzureProvider", "GoogleCloudProvider"})
_LONGEST_QUOTE = 500
_Kind = TypeVar("_Kind", bound=Answer)


def mismatch(answers: Sequence[Answer], blocks: int, provider_class: str) -> str | None:
    """Why the rounds would fail or mislead, in one paragraph that ends with the remedy; None where nothing speaks against them.

    Args:
        answers: What the child `nodes` said, as far as it came.
        blocks: How many were asked for.
        provider_class: Parsl's name of the provider's class.
    """
    begin = next((answer for answer in answers if isinstance(answer, Begin)), None)
    if begin is None:  # it broke before it asked for anything: its own words tell
        return None
    return (
        _other_python(begin, answers)
        or _other_parsl(begin, answers)
        or _unshared_folder(answers, provider_class)
        or _missing(answers, blocks * begin.nodes_per_block, provider_class)
    )


def _other_python(begin: Begin, answers: Sequence[Answer]) -> str | None:
    here = interpreter(begin.python)
    others = sorted({python for python, _ in _environments(answers) if interpreter(python) != here})
    if not others:
        return None
    return (
        f"the nodes run {', '.join(others)} where the submit host runs {begin.python}: tasks are pickled, so implementation "
        f"and major.minor version must be the same. Put the lines that activate the submit host's Python environment into the "
        "config's worker_init, and see that the environment lies where the nodes can read it."
    )


def _other_parsl(begin: Begin, answers: Sequence[Answer]) -> str | None:
    here = release(begin.parsl)
    others = sorted({parsl for _, parsl in _environments(answers) if release(parsl) != here})
    if not others:
        return None
    if others == [""]:
        found = "have no Parsl in the Python that starts their workers"
    else:
        found = f"have Parsl {', '.join(other or '(none)' for other in others)}"
    return (
        f"the nodes {found}, the submit host has {begin.parsl}; they must be the same release. Activate the submit host's Python "
        f"environment in the config's worker_init, or install parsl=={begin.parsl} into the one that is activated there."
    )


def _unshared_folder(answers: Sequence[Answer], provider_class: str) -> str | None:
    if provider_class in NO_SHARED_FOLDER:
        return None
    blind = sorted({answer.block for answer in _of(NodeReport, answers) if not answer.sees_run_dir})
    if not blind:
        return None
    return (
        f"the nodes of block {', '.join(blind)} do not see the run folder, which the submit host wrote into: their logs and job "
        "output would be lost, and so would the certificates that encrypted executors read there. Set PERFDB_WORK_DIR to a "
        "folder that every node shares with this host."
    )


def _missing(answers: Sequence[Answer], claimed: int, provider_class: str) -> str | None:
    reported = {answer.pool for answer in _of(NodeReport, answers)}
    if len(reported) >= claimed:
        return None
    submitted = {answer.block for answer in _of(Block, answers) if answer.job is not None}
    seen = {one.block for one in _of(NodeReport, answers)} | {one.block for one in _of(Registered, answers)}
    why = [
        *(f"the provider refused block {one.block}: {one.trouble}" for one in _of(Block, answers) if one.trouble),
        *(f"block {one.block} said last: {one.text}" for one in _of(LastWords, answers)),
        *(f"{one.trouble}" for one in _of(Gone, answers) if one.trouble),
    ]
    told = f" ({why[0][:_LONGEST_QUOTE].rstrip('. ')})" if why else ""
    began = {answer.job for answer in _of(ScriptReport, answers)}
    silent = any(answer.job in began for answer in _of(Block, answers) if answer.job and answer.block not in seen)
    if silent:
        remedy = (
            "A job script started there, but its workers never reached this host: see that worker_init puts "
            "process_worker_pool.py on PATH, and that the executor's `address` can be reached from the nodes"
        )
    elif submitted - seen and provider_class not in NO_SHARED_FOLDER | ON_SUBMIT_HOST:
        remedy = (
            "See whether the scheduler can start these jobs (partition, account, walltime), whether PERFDB_WORK_DIR is a folder "
            "that every node shares, and give it more time with --acquire-timeout-s"
        )
    else:
        remedy = (
            "See whether the provider's parameters suit the machine, and give it more time with --acquire-timeout-s"
        )
    return f"{len(reported)} of {claimed} nodes reported before the first round{told}. {remedy}."


def _environments(answers: Sequence[Answer]) -> Iterable[tuple[str, str]]:
    """Python and Parsl of each node and job script that told them."""
    for answer in answers:
        if isinstance(answer, NodeReport | ScriptReport) and answer.python:
            yield answer.python, answer.parsl


def interpreter(python: str) -> str:
    """Implementation and major.minor version."""
    return re.sub(r"^(\S+ \d+\.\d+)\..*$", r"\1", python)


def release(version: str) -> tuple[str, ...]:
    """A version whose parts are compared as numbers: Parsl calls 2024.6.17 also 2024.06.17."""
    return tuple(part.lstrip("0") or part[:1] for part in version.split("."))


def _of(kind: type[_Kind], answers: Sequence[Answer]) -> tuple[_Kind, ...]:
    return tuple(answer for answer in answers if isinstance(answer, kind))
