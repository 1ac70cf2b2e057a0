"""What a shell may offer for a workload, and for arms, of which some letters are there."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from perfdb.families.schedulers.arms import SLURM_WORDS, Policy
from perfdb.families.schedulers.workload.builtin import BUILTINS

_SUFFIXES = (".toml", ".swf")
_ARMS = (
    "slurm",
    "slurm:",
    "slurm=here",
    "mini-slurm",
    "kubernetes:",
    *(f"simulated:{name}" for name in get_args(Policy)),
)


def workloads(begun: str) -> list[str]:
    """Built-in ones, and files of the folder that is named. Nothing where only folders fit: those the shell knows itself."""
    folder, slash, start = begun.rpartition("/")
    try:
        there = sorted(path.name for path in Path(folder + slash).expanduser().iterdir())
    except (OSError, RuntimeError, ValueError):
        there = []
    files = [name for name in there if name.startswith(start) and name.lower().endswith(_SUFFIXES)]
    return [*(name for name in BUILTINS if name.startswith(begun)), *(f"{folder}{slash}{name}" for name in files)]


def arms(begun: str) -> list[str]:
    """The kinds of an arm; of a Slurm's the words after the last `+` that say nothing twice."""
    before, comma, last = begun.rpartition(",")
    kind, colon, words = last.partition(":")
    if kind != "slurm" or not colon:
        return [f"{before}{comma}{arm}" for arm in _ARMS if arm.startswith(last)]
    said, plus, start = words.rpartition("+")
    taken = {SLURM_WORDS[word][0] for word in said.split("+") if word in SLURM_WORDS}
    free = [word for word, (key, _) in SLURM_WORDS.items() if key not in taken and word.startswith(start)]
    return [f"{before}{comma}slurm:{said}{plus}{word}" for word in free]
