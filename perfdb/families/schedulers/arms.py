"""What `--arms` may say: which schedulers take turns, each in which set-up. Pure.

slurm                        a pocket Slurm: backfill, cons_tres, basic priority, no preemption
slurm:builtin+linear         the same with another scheduler and another way to pick nodes
slurm=NAME                   the running pocket cluster of that name
slurm=here                   the Slurm that this host submits to
mini-slurm                   a mini-slurm, whose CPUs stand for nodes
kubernetes:default           a scheduler of a Kubernetes cluster, by the name of its description
simulated:easy               the simulator, under a policy
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["slurm", "mini-slurm", "kubernetes", "simulated"]
Policy = Literal["fifo", "easy", "mini-slurm"]
MOST_ARMS = 6
# A word of a Slurm arm -> the option of a pocket cluster that it sets, and its value there.
SLURM_WORDS: Mapping[str, tuple[str, str]] = {
    "backfill": ("scheduler", "backfill"),
    "builtin": ("scheduler", "builtin"),
    "cons_tres": ("select", "cons_tres"),
    "linear": ("select", "linear"),
    "basic": ("priority", "basic"),
    "multifactor": ("priority", "multifactor"),
    "preempt_off": ("preempt", "off"),
    "requeue": ("preempt", "requeue"),
    "suspend": ("preempt", "suspend"),
}
DEFAULTS: Mapping[str, str] = {"scheduler": "backfill", "select": "cons_tres", "priority": "basic", "preempt": "off"}
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


@dataclass(frozen=True)
class Arm:
    """One scheduler in one set-up.

    Attributes:
        kind: What it is.
        options: Of a pocket Slurm that the run brings up: its options, by their names there.
        name: Of a running Slurm, `here` or a pocket cluster's; of Kubernetes the description's; of the simulator the policy.
    """

    kind: Kind
    options: tuple[tuple[str, str], ...] = ()
    name: str = ""

    @property
    def label(self) -> str:
        """As people type it, without what is the default anyway: two arms of one label are one."""
        if self.kind == "slurm":
            if self.name:
                return f"slurm={self.name}"
            words = [word for word, (key, value) in SLURM_WORDS.items() if (key, value) in self.options]
            told = [word for word in words if DEFAULTS[SLURM_WORDS[word][0]] != SLURM_WORDS[word][1]]
            scheduler = dict(self.options)["scheduler"]
            return "slurm:" + "+".join([scheduler, *(word for word in told if word != scheduler)])
        return f"{self.kind}:{self.name}" if self.name else self.kind

    @property
    def is_simulated(self) -> bool:
        """Whether nothing of it was measured."""
        return self.kind == "simulated"


def is_simulated(label: str) -> bool:
    """Whether that is the label of an arm of which nothing is measured."""
    return label.startswith("simulated:")


def parse(text: str) -> tuple[Arm, ...]:
    """The arms that `--arms` names, in its order.

    Raises:
        ValueError: it is no such list; the text says what is wrong and what may stand there.
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    arms = tuple(map(_arm, words))
    if not arms:
        raise ValueError("it names no arm; for example slurm:backfill,slurm:builtin")
    if len(arms) > MOST_ARMS:
        raise ValueError(f"{len(arms)} arms are more than the {MOST_ARMS} that one run can tell apart")
    labels = [arm.label for arm in arms]
    if twice := next((label for label in labels if labels.count(label) > 1), ""):
        raise ValueError(f"it names {twice} twice")
    return arms


def _arm(word: str) -> Arm:
    kind, sign, rest = word.partition(":")
    if kind.startswith("slurm=") and not sign:
        name = kind.removeprefix("slurm=")
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"{word[:80]!r} names no cluster: `slurm=NAME` is a running pocket cluster, `slurm=here` this host's"
            )
        return Arm("slurm", name=name)
    if kind == "slurm" and (rest or not sign):
        return Arm("slurm", options=_options(rest))
    if kind == "mini-slurm" and not sign:
        return Arm("mini-slurm")
    if kind == "kubernetes" and _NAME.fullmatch(rest):
        return Arm("kubernetes", name=rest)
    if kind == "simulated" and rest in get_args(Policy):
        return Arm("simulated", name=rest)
    raise ValueError(
        f"{word[:80]!r} is no arm; an arm is slurm[:WORD+WORD…] (words: {', '.join(SLURM_WORDS)}), slurm=NAME, mini-slurm, "
        f"kubernetes:NAME, or simulated:{'|'.join(get_args(Policy))}"
    )


def _options(words: str) -> tuple[tuple[str, str], ...]:
    chosen: dict[str, str] = {}
    for word in words.split("+") if words else []:
        if word not in SLURM_WORDS:
            raise ValueError(f"{word[:80]!r} is nothing that a Slurm arm can be; it is any of {', '.join(SLURM_WORDS)}")
        key, value = SLURM_WORDS[word]
        if key in chosen:
            raise ValueError(f"slurm:{words[:80]} says two things of its {key}")
        chosen[key] = value
    return tuple(({**DEFAULTS, **chosen}).items())
