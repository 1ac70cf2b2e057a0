"""How a Slurm is set, as far as it may move a number, from its commands' text. Pure; every text is a stranger's.

Only what is on these lists is taken, and only in the shape that Slurm gives it: so no host, user, path, address or port
gets in, whatever somebody wrote into a cluster's configuration.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from perfdb.platforms.slurm_show import shown_settings

_PLUGIN = re.compile(r"[a-z_]{1,40}/[a-z0-9_]{1,40}")
_TIME = re.compile(r"\d{1,10} sec|INFINITE|NONE|UNLIMITED")
_WORDS = re.compile(r"[A-Za-z0-9_]{1,60}(,[A-Za-z0-9_]{1,60}){0,20}")
_OPTION = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9_]{0,60})(=(?P<value>.*))?")
_OPTION_VALUE = re.compile(r"-?\d{1,15}(\.\d{1,6})?|min|max|avg|yes|no")
_SHAPES = {
    **dict.fromkeys(
        ("SchedulerType", "SelectType", "PriorityType", "PreemptType", "TopologyPlugin", "AccountingStorageType"),
        _PLUGIN,
    ),
    **dict.fromkeys(("SelectTypeParameters", "PreemptMode"), _WORDS),
    "KillWait": _TIME,
}
# What power saving is set to does nothing without a program that powers nodes up.
_POWER_SHAPES = dict.fromkeys(("SuspendTime", "SuspendTimeout", "ResumeTimeout"), _TIME)
_OPTIONS = ("SchedulerParameters", "SlurmctldParameters")
# Programs that a job's start or a node's boot waits for: that there is one, never which.
_PROGRAMS = ("ResumeProgram", "PrologSlurmctld", "Prolog")
_PARTITION_NAME = re.compile(r"PartitionName=(\S{1,200})(?=\s|$)")
_PARTITION = {
    "TotalNodes": re.compile(r"\d{1,10}"),
    "TotalCPUs": re.compile(r"\d{1,10}"),
    "OverSubscribe": re.compile(r"[A-Z]{1,20}(:\d{1,6})?"),
    "PriorityTier": re.compile(r"\d{1,10}"),
}
_PAIR = re.compile(r"\s(Default|TotalNodes|TotalCPUs|OverSubscribe|PriorityTier)=(\S+)")
_MOST_PARTITIONS = 8


def scheduler_settings(config: str) -> dict[str, str]:
    """What `scontrol show config` says, by Slurm's own names. What is not set is left out."""
    told = shown_settings(config)
    shapes = {**_SHAPES, **(_POWER_SHAPES if "ResumeProgram" in told else {})}
    found = {name: told[name] for name, shape in shapes.items() if name in told and shape.fullmatch(told[name])}
    found |= {name: _in_order(value) for name, value in found.items() if shapes[name] is _WORDS}
    found |= {name: _in_order(",".join(_options(told[name]))) for name in _OPTIONS if name in told}
    found |= {name: "set" for name in _PROGRAMS if name in told or f"{name}[0]" in told}
    return {name: value for name, value in sorted(found.items()) if value}


def partition_settings(partitions: str, names: Sequence[str | None]) -> dict[str, str]:
    """What `scontrol --oneliner show partition` says of those that blocks go to, by Slurm's own names after `partition.`.

    Args:
        partitions: Of all that there are.
        names: As a config names them, several with commas between; None where it names none, which is the default one.

    Returns:
        Of several partitions, each one's value once, in the order of the names. No names.
    """
    known = dict(_shown_partitions(partitions))
    default = [name for name, fields in known.items() if fields.get("Default") == "YES"]
    asked = [part for name in names for part in (default if name is None else name.split(","))]
    meant = [known[name] for name in dict.fromkeys(asked) if name in known][:_MOST_PARTITIONS]
    found = {}
    for field, shape in _PARTITION.items():
        values = dict.fromkeys(fields.get(field, "") for fields in meant)
        if values and all(map(shape.fullmatch, values)):
            found[f"partition.{field}"] = ", ".join(values)
    return found


def _shown_partitions(text: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    for line in text.splitlines():
        if name := _PARTITION_NAME.match(line):
            # The first of a name is Slurm's own.
            yield name[1], dict(reversed(_PAIR.findall(line)))


def _options(text: str) -> Iterator[str]:
    """Each option; of a value that is neither a number nor one of Slurm's words, no more than that there is one."""
    for part in text.split(","):
        if option := _OPTION.fullmatch(part.strip()):
            value = option["value"]
            known = value is None or _OPTION_VALUE.fullmatch(value)
            yield option[0] if known else f"{option['name']}=?"


def _in_order(words: str) -> str:
    """Slurm looks each of them up, wherever it stands."""
    return ",".join(sorted(dict.fromkeys(words.split(","))))
