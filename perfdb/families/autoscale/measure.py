"""The children of an autoscale run: every node's report, then the rounds."""

from __future__ import annotations

import json
import random
from pathlib import Path

from perfdb import capture
from perfdb.errors import ConfigError, UsageError
from perfdb.families.autoscale.rounds.answers import read_answers
from perfdb.families.autoscale.rounds.node_reports import mismatch
from perfdb.families.autoscale.spec import AutoscaleSpec
from perfdb.families.base import Children, ChildRun, Lab, Program
from perfdb.parsl_config import ConfigDescription

_CHILD = Path(__file__).parent / "child"
_EXECUTORS = frozenset({"HighThroughputExecutor", "MPIExecutor"})
NODES = "nodes"
# Jobs that were cancelled get this long to be over; what is still there then is ended for them.
_LONGEST_SETTLING_S = 120.0


def measure(lab: Lab, spec: AutoscaleSpec) -> Children:
    """Hand them out one after another. A round that fails is the last: the next would fail alike.

    Raises:
        ConfigError: this config does not scale.
        UsageError: what was asked for does not go together with the config.
    """
    fits(lab.setup.config, spec)
    provider_class = lab.setup.config.executors[0].provider_class or ""
    warm_too = lab.powers_nodes
    settle_s = min(spec.release_timeout_s, _LONGEST_SETTLING_S)
    env = {
        "PERFDB_HOST_KEY": lab.host_key,
        "PERFDB_WORKLOAD": spec.model_dump_json(
            include={"tasks", "task_s", "blocks", "acquire_timeout_s", "release_timeout_s"}
        ),
    }
    facts = Path(capture.__path__[0]) / "facts.py"
    program = (str(lab.python), str(_CHILD / "program.py"))
    done = yield Program(NODES, (*program, "reports"), env={**env, "PERFDB_FACTS": str(facts)}, settle_s=settle_s)
    if not _worth_another(done) or mismatch(read_answers(done.log.stdout), spec.blocks, provider_class):
        return
    kinds = ("cold", "warm") if warm_too else ("cold",)
    shares = {kind: phases(spec.rounds, f"{lab.setup.config.fingerprint} {kind}") for kind in kinds}
    for number in range(1, spec.rounds + 1):
        for kind in kinds:
            done = yield Program(
                f"{kind}-{number}",
                (*program, "round"),
                env={**env, "PERFDB_PHASE": json.dumps(shares[kind][number - 1])},
                begin_when="released" if kind == "cold" else "now",
                patience_s=spec.release_timeout_s,
                settle_s=settle_s,
            )
            if not _worth_another(done):
                return


def child_count(spec: AutoscaleSpec) -> int:
    """How many children a run takes at most."""
    return 1 + 2 * spec.rounds


def phases(rounds: int, seed: str) -> tuple[float, ...]:
    """The share of a strategy's period after which each round begins: one from each of `rounds` equal parts, shuffled.

    So they are spread evenly however few there are, and a run that is gone on with gets those that it had.
    """
    chance = random.Random(seed)  # noqa: S311 (spread, not secrecy)
    shares = [(part + chance.random()) / rounds for part in range(rounds)]
    chance.shuffle(shares)
    return tuple(shares)


def _worth_another(done: ChildRun) -> bool:
    return done.log.exit.code == 0


def fits(config: ConfigDescription, spec: AutoscaleSpec) -> None:
    """Nothing, where Parsl can scale this config from zero and in again.

    Raises:
        ConfigError: it cannot.
        UsageError: what was asked for does not go together with the config.
    """
    if len(config.executors) != 1:
        raise ConfigError(
            f"autoscale measures one executor, and {config.name} has {len(config.executors)}. Name a config with one only."
        )
    executor = config.executors[0]
    # A site's own class is judged by the child, which can see what it is derived from.
    if executor.provider_class is None or ("." not in executor.class_name and executor.class_name not in _EXECUTORS):
        raise ConfigError(
            f"{config.name} has the executor {executor.class_name}, which takes no blocks of nodes that could be timed. Name a "
            "config with a HighThroughputExecutor and a provider, such as parsl-configs/local_htex.py."
        )
    params = config.params
    if params.get("config.strategy", "simple") in ("none", None):
        raise ConfigError(
            f"{config.name} sets strategy='none', so Parsl would never ask for a node. Set strategy='simple' or "
            "'htex_auto_scale' in its Config."
        )
    parallelism = params.get("provider.parallelism", 1)
    if isinstance(parallelism, int | float) and parallelism <= 0 and spec.blocks > 1:
        raise ConfigError(
            f"{config.name} sets parallelism={parallelism}, so Parsl asks for no second block however many tasks wait. Set "
            "parallelism=1 in its provider, or measure --blocks 1."
        )
    if spec.task_s >= spec.release_timeout_s:
        raise UsageError(
            f"a task takes task_s={spec.task_s:g} s, and release_timeout_s={spec.release_timeout_s:g} waits no longer than that for the "
            f"last ones to end. Try again with --release-timeout-s {2 * spec.task_s + 60:g}."
        )
    idle_s = params.get("config.max_idletime", 120)
    if isinstance(idle_s, int | float) and idle_s >= spec.release_timeout_s:
        raise UsageError(
            f"{config.name} keeps idle blocks for max_idletime={idle_s:g} s, and release_timeout_s={spec.release_timeout_s:g} waits no "
            f"longer than that. Try again with --release-timeout-s {2 * idle_s + 60:g}, or set a shorter max_idletime."
        )
