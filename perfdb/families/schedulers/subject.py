"""The workload of a run, described for its record."""

from __future__ import annotations

import hashlib
import platform
import re
from collections.abc import Mapping
from importlib.metadata import version

from perfdb.families.base import Subject
from perfdb.families.schedulers.completion import workloads
from perfdb.families.schedulers.workload.builtin import BUILTINS
from perfdb.families.schedulers.workload.load import Source, described
from perfdb.parsl_config import ConfigDescription
from perfdb.parsl_config.description import ParamValue
from perfdb.parsl_config.params import fingerprint
from perfdb.record import Scalar
from perfdb.redaction import Identity, Redactor

# A record's texts have half a MiB together, logs and all.
_LONGEST_TEXT = 32 * 1024


def describe(target: str, _: str) -> ConfigDescription:
    """The workload of that name, or of that file: by its hash, and a TOML spec by its text too.

    Raises:
        UsageError: there is no such one.
    """
    found = described(target)
    redactor = Redactor((), Identity.here())
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", redactor.text(found.name)).strip("_")[:100] or "workload"
    params: dict[str, ParamValue] = {
        "workload.name": name,
        "workload.kind": found.kind,
        "workload.sha256": found.sha256,
    }
    source = "".join(f"# {key} = {value!r}\n" for key, value in params.items()) + _kept(found, redactor)
    return ConfigDescription(
        name=name,
        params=params,
        fingerprint=fingerprint(params),
        source=source,
        source_sha256=hashlib.sha256(source.encode()).hexdigest(),
        executors=(),
        parsl_version="",
        python_version=platform.python_version(),
        python_implementation=platform.python_implementation(),
        packages={"perfdb": version("perfdb")},
        parsl_perf_flags=(),
        monitoring=False,
        usage_tracking=False,
    )


def _kept(found: Source, redactor: Redactor) -> str:
    """A spec's text, which says how its list is made; a trace is too long, and somebody else's."""
    if found.kind != "toml" or len(found.content) > _LONGEST_TEXT:
        return ""
    return redactor.text(found.text)


def again(params: Mapping[str, Scalar]) -> str | None:
    """What to type for the workload of a record with these params: a built-in's name; where a file is, no record says."""
    name = params.get("workload.name")
    return name if params.get("workload.kind") == "built-in" and isinstance(name, str) and name in BUILTINS else None


SUBJECT = Subject(
    metavar="WORKLOAD",
    option="--workload",
    help="The list of jobs that every arm gets: clog, size-2, size-2-3, mixed, a .toml spec, or a .swf trace. `perfdb schedulers "
    "workload WORKLOAD` shows it.",
    describe=describe,
    complete=workloads,
    again=again,
)
