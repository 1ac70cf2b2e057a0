"""What is under test: mini-slurm, or a Slurm, described for a record."""

from __future__ import annotations

import hashlib
import platform
import re
import shutil
import subprocess
from importlib.metadata import version

from perfdb.errors import UsageError
from perfdb.families.base import Subject
from perfdb.parsl_config import ConfigDescription
from perfdb.parsl_config.description import ExecutorDescription, ParamValue
from perfdb.parsl_config.params import fingerprint

_SCHEDULERS = ("mini-slurm", "slurm")
_PATIENCE_S = 30.0
# What Slurm calls the class of provider by which the batch system is asked what it is.
_SLURM = ExecutorDescription(label="slurm", class_name="", provider_class="SlurmProvider", launcher_class=None)


def describe(target: str, _: str) -> ConfigDescription:
    """The scheduler of that name.

    Raises:
        UsageError: there is no such one, or it is not here.
    """
    if target not in _SCHEDULERS:
        raise UsageError(
            f"{target[:200]!r} is no scheduler that resizes jobs: it is mini-slurm or slurm. For example: perfdb run elastic mini-slurm"
        )
    if target == "slurm" and shutil.which("scontrol") is None:
        raise UsageError(
            "there is no Slurm here: scontrol is not on PATH. Log in where there is one, bring a small one up with `perfdb cluster "
            "up --accounting`, or measure `perfdb run elastic mini-slurm`."
        )
    if target == "slurm" and (trouble := _trouble()):
        raise UsageError(
            f"Slurm does not answer: {trouble}. See that `scontrol ping` says UP. A pocket cluster is found after `eval "
            '"$(perfdb cluster env)"`.'
        )
    if target == "slurm" and _keeps_no_accounts():
        raise UsageError(
            "this Slurm keeps no accounts (AccountingStorageType is accounting_storage/none), and resizes a job only once then. Measure "
            "one that does: on this machine `perfdb cluster up --accounting` brings it up, after `perfdb cluster down` of one without."
        )
    params: dict[str, ParamValue] = {"elastic.scheduler": target}
    source = f"elastic.scheduler = {target!r}\n"
    return ConfigDescription(
        name=target,
        params=params,
        fingerprint=fingerprint(params),
        source=source,
        source_sha256=hashlib.sha256(source.encode()).hexdigest(),
        executors=(_SLURM,) if target == "slurm" else (),
        parsl_version="",
        python_version=platform.python_version(),
        python_implementation=platform.python_implementation(),
        packages={"perfdb": version("perfdb")},
        parsl_perf_flags=(),
        monitoring=False,
        usage_tracking=False,
    )


def _trouble() -> str:
    """Why Slurm's controller can't be asked anything; '' where it can."""
    try:
        done = subprocess.run(["scontrol", "ping"], capture_output=True, text=True, timeout=_PATIENCE_S, check=False)
    except subprocess.TimeoutExpired:
        return f"`scontrol ping` takes longer than {_PATIENCE_S:g} s"
    if " UP" in done.stdout:
        return ""
    said = (done.stdout + done.stderr).split("\n")
    return next(
        (line.strip()[:300] for line in reversed(said) if re.search(r"\w", line)), "`scontrol ping` says nothing"
    )


def _keeps_no_accounts() -> bool:
    """Whether it notes jobs nowhere: then it refuses to resize one again, for good (22.05: "the DB index is being set")."""
    asked = ["scontrol", "show", "config"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, timeout=_PATIENCE_S, check=False)
    except subprocess.TimeoutExpired:
        return False
    return re.search(r"^AccountingStorageType *= *(accounting_storage/none|\(null\))$", done.stdout, re.M) is not None


def _named_like(begun: str) -> list[str]:
    return [name for name in _SCHEDULERS if name.startswith(begun)]


SUBJECT = Subject(
    metavar="mini-slurm|slurm",
    option="--scheduler",
    help="The scheduler: mini-slurm, of which each arm gets one of its own, or the Slurm that this host submits to.",
    describe=describe,
    complete=_named_like,
)
