"""The children of a scaling run: one for each load, wait and repetition."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from perfdb import capture
from perfdb.errors import ConfigError
from perfdb.families.base import Children, ChildRun, Lab, Program
from perfdb.families.scaling.analysis.cells import Cell
from perfdb.families.scaling.analysis.search import next_try
from perfdb.families.scaling.clients.answers import read_answers
from perfdb.families.scaling.clients.merge import Load, merge
from perfdb.families.scaling.clients.saturation import why_saturated
from perfdb.families.scaling.samples import Judge, Tried, columns, read
from perfdb.families.scaling.servers.watching import watched
from perfdb.families.scaling.spec import ScalingSpec
from perfdb.families.scaling.summarise import cell_of

_PROGRAM = Path(__file__).parent / "child" / "program.py"
_NODES = _PROGRAM.parent / "nodes"
_EXECUTOR = "HighThroughputExecutor"
_NAME = re.compile(
    r"(?:^|-)rep-([1-9]\d{0,3})-wait-(\d{1,5}(?:\.\d{1,12})?)s-load-([1-9]\d{0,6})(?:-try-([1-9]\d{0,2}))?$"
)


def measure(lab: Lab, spec: ScalingSpec) -> Children:
    """Hand them out one after another: the whole grid, then the next repetition of it.

    Raises:
        ConfigError: the config for the clients has no nodes for them.
    """
    holder = _holder(lab, spec)
    for repetition in range(1, spec.reps + 1):
        for wait_s in spec.waits:
            if spec.search is None:
                for load in spec.loads:
                    yield _program(lab, spec, holder, repetition, wait_s, load, 1)
                continue
            cells: list[Cell] = []
            while (load := next_try(spec.search, cells) or 0) > 0:
                number = 1 + sum(cell.load == load for cell in cells)
                done = yield _program(lab, spec, holder, repetition, wait_s, load, number)
                one = tried_of(spec, done) or Tried(repetition, number, wait_s, load, Load())
                cells.append(cell_tried(spec, one))


def child_count(spec: ScalingSpec) -> int:
    """How many children a run takes, at most where it searches."""
    each = len(spec.loads) if spec.search is None else spec.search.tries
    return spec.reps * len(spec.waits) * each


def tried_of(spec: ScalingSpec, run: ChildRun) -> Tried | None:
    """What a child found; None where its log is none of a load."""
    match = _NAME.search(run.log.name)
    if match is None:
        return None
    repetition, wait_s, load, number = match.groups()
    found = merge(read_answers(run.log.stdout))
    steady_s = spec.window[1] - spec.window[0] if spec.window is not None else None
    judge = Judge(spec.criterion, spec.judged_by, spec.unit, steady_s)
    spoiled = tuple(_spoiled(spec, found))
    errors = [line.text.strip() for line in run.log.lines if line.stream == "stderr" and line.text.strip()]
    words = errors[-1] if errors else ""
    return Tried(int(repetition), int(number or 1), float(wait_s), int(load), found, judge, spoiled, words)


def _spoiled(spec: ScalingSpec, found: Load) -> Iterator[str]:
    if not found.complete:
        yield "incomplete"
    if why_saturated(found, spec.limits):
        yield "client"
    if spec.require_hosts and wrong_hosts(spec, found):
        yield "hosts"
    if spec.fault_after is not None:
        yield "fault"


def cell_tried(spec: ScalingSpec, one: Tried) -> Cell:
    """A load as a search or a ceiling takes it."""
    for (repetition, wait_s, load, _), rows in read(columns([one])).items() if one.found.loads else ():
        if (cell := cell_of(repetition, wait_s, load, rows, spec.judged_by)) is not None:
            return cell
    return Cell(load=one.load, wait_s=one.wait_s, repetition=one.repetition, success_share=0, p99_s=None, valid=False)


def wrong_hosts(spec: ScalingSpec, found: Load) -> bool:
    """Whether other than the expected number of hosts answered, where any did."""
    return len(found.by_host) != spec.expected_hosts and bool(found.all.get("ok"))


def _holder(lab: Lab, spec: ScalingSpec) -> Program | None:
    """What keeps the clients' nodes while load after load is asked of them; None where the clients run here.

    Raises:
        ConfigError: the config has no nodes for them.
    """
    if spec.clients_on is None:
        return None
    config = lab.setup.config
    # A site's own class is judged by the child, which can see what it is derived from.
    fit = [e for e in config.executors if e.provider_class and ("." in e.class_name or e.class_name == _EXECUTOR)]
    if len(config.executors) != 1 or not fit:
        raise ConfigError(
            f"{spec.clients_on} has no nodes for clients: they take a config with one executor, a HighThroughputExecutor with a "
            "provider. Name another with --clients-on, such as local_htex."
        )
    facts = Path(capture.__path__[0]) / "facts.py"
    return Program(
        "client-nodes",
        (str(lab.python), str(_NODES / "hold.py"), str(spec.clients), str(spec.client_nodes or 0)),
        env={"PERFDB_FACTS": str(facts), "PERFDB_HOST_KEY": lab.host_key},
    )


def _program(
    lab: Lab, spec: ScalingSpec, holder: Program | None, repetition: int, wait_s: float, load: int, number: int
) -> Program:
    again = f"-try-{number}" if number > 1 else ""
    plan = spec.plan(lab.target, load, wait_s).model_copy(update={"seed": spec.seed + repetition})
    program = Program(
        f"rep-{repetition}-wait-{wait_s:g}s-load-{load}{again}",
        (sys.executable, str(_PROGRAM), "0", str(spec.clients))
        if holder is None
        else (sys.executable, str(_NODES / "ask.py")),
        env={"PERFDB_LOAD_PLAN": plan.model_dump_json(), "PERFDB_HOST_KEY": lab.host_key},
        beside=holder,
        label=f"rep {repetition}/{spec.reps}, wait {wait_s:g} s, load {load}{f', try {number}' if number > 1 else ''}",
    )
    return watched(program, spec.admin, spec.fault_after, spec.fault_command)
