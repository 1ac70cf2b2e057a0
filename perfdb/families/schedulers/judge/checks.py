"""What makes a run of this family valid. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from perfdb.families.schedulers.events import Begin, Nodes
from perfdb.families.schedulers.judge.run import Run
from perfdb.families.schedulers.measures.spans import is_as_planned, stamps_off
from perfdb.families.schedulers.outcome import Outcome
from perfdb.families.schedulers.samples import Told
from perfdb.families.schedulers.workload.job import digest
from perfdb.record import Check
from perfdb.units import counted, duration

_LONGEST, _MOST = 1500, 5
# How well the offset of a scheduler's clock must be known before its times are told beside ours.
UNCERTAIN_S = 0.1
# How far a job's stamps may lie apart beyond what its scheduler's clock can tell.
STAMPS_OFF_S = 0.1


def checks_of(run: Run) -> Iterator[Check]:
    """All of them, each with what was found."""
    begun = [(told, begin) for told in run.told if (begin := told.begin) is not None]
    ends = [(told, end) for told in run.told if (end := told.end) is not None]
    jobs = counted(len(run.jobs) * run.spec.batches, "job")
    yield _check("arms_complete", _incomplete(run), f"every child of {counted(len(run.told), 'turn')} told all")
    yield _check(
        "same_iterations", _out_of_turn(run), f"each arm had {counted(run.spec.iters, 'iteration')}, in turns, A B B A"
    )
    yield _check("equal_load", _unequal(run), f"every arm was given the same {jobs}, {_latest(run)} late at most")
    yield _check(
        "jobs_as_planned", _not_planned(run), "each completed, met its own limit, or had all the time that there was"
    )
    yield _check("clock_known", _unclocked(begun), _clocks(begun))
    yield _check("nodes_up", _nodes_missing(run, begun), f"every scheduler had {counted(run.spec.nodes, 'node')}")
    yield _check(
        "nothing_left", (f"{told.name}: {end.left}" for told, end in ends if end.left), "nothing was left behind"
    )
    yield _check("fresh", _stale(run, begun), "each scheduler that was brought up had seen no job before")
    yield _check("arms_unchanged", _changed(begun), "each arm was set up alike in all iterations")
    yield _check("stamps_agree", _stamps_apart(run), "what each job stamped itself lies where its scheduler says")


def _check(name: str, found: Iterator[str] | Sequence[str], fine: str) -> Check:
    faults = list(found)
    more = f"; and {len(faults) - _MOST} more" if len(faults) > _MOST else ""
    return Check(name=name, passed=not faults, detail=("; ".join(faults[:_MOST]) + more if faults else fine)[:_LONGEST])


def trouble_of(run: Run, told: Told) -> str | None:
    """What kept an arm from its end; None where nothing did."""
    words = run.last_words.get((told.iteration, told.arm), "")
    if told.end is None:
        return f"it did not come to its end{f'; its last words: {words}' if words else ''}"
    if told.end.outcome in ("all", "timeout"):
        return None
    said = {"stopped": "it was told to stop", "failed": "it failed"}[told.end.outcome]
    return said + (f": {told.end.trouble}" if told.end.trouble else f"; its last words: {words}" if words else "")


def _incomplete(run: Run) -> Iterator[str]:
    for told in run.told:
        if (trouble := trouble_of(run, told)) is not None or told.end is None:
            yield f"{told.name}: {trouble}"
            continue
        kinds = Counter(answer.kind for answer in told.answers)
        lost = {kind: n - kinds[kind] for kind, n in told.end.given.items() if n != kinds[kind]}  # type: ignore[index] # any word may be given
        if lost:
            yield f"{told.name}: what it told did not all come: {', '.join(f'{n} of {kind}' for kind, n in lost.items())}"


def _out_of_turn(run: Run) -> Iterator[str]:
    expected = [(i, place) for i in range(1, run.spec.iters + 1) for place, _ in run.spec.order(i)]
    ran = [(told.iteration, told.arm) for told in run.told]
    if ran != expected[: len(ran)]:
        yield f"they ran in the order {', '.join(f'arm {arm} {iteration}' for iteration, arm in ran[:12])}"
    seen = {(one.iteration, one.arm) for one in run.seen}
    for place, arm in enumerate(run.spec.parsed, start=1):
        lacking = [str(i) for i in range(1, run.spec.iters + 1) if (i, place) not in seen]
        if lacking:
            yield f"{arm.label} lacks iteration {', '.join(lacking[:12])}"


def _unequal(run: Run) -> Iterator[str]:
    sha256 = digest(run.jobs)
    for told in run.told:
        begin = told.begin
        if begin is not None and (begin.workload, begin.jobs) != (sha256, len(run.jobs)):
            yield f"{told.name}: it had other jobs than were asked for"
    earliest: dict[tuple[int, int, int], float] = {}
    latest: dict[tuple[int, int, int], float] = {}
    tolerance_s = 0.0
    for one in run.seen:
        told = run.told_of(one)
        own_s = run.tolerance_s(told)
        tolerance_s = max(tolerance_s, own_s)
        late = dict(run.lateness_s(one))
        lacking = [outcome for outcome in one.outcomes if (outcome.batch, outcome.work.job) not in late]
        if lacking:
            yield f"{told.name}: {counted(len(lacking), 'job')} not submitted, first {_name(lacking[0])}"
        batches = len({outcome.batch for outcome in one.outcomes})
        if batches < run.spec.batches:
            yield f"{told.name}: {batches} of {counted(run.spec.batches, 'batch')[:-1]}es were begun"
        for (batch, job), s in late.items():
            if abs(s) > own_s:
                yield f"{told.name}: job {job} was submitted {duration(abs(s))} {'after' if s > 0 else 'before'} it was to arrive"
            key = (one.iteration, batch, job)
            earliest[key] = min(earliest.get(key, s), s)
            latest[key] = max(latest.get(key, s), s)
    for (iteration, _, job), s in latest.items():
        apart_s = s - earliest[iteration, _, job]
        if apart_s > tolerance_s:
            yield f"iteration {iteration}: the arms got job {job} at times {duration(apart_s)} apart"


def _latest(run: Run) -> str:
    return duration(max((abs(s) for one in run.seen for _, s in run.lateness_s(one)), default=0.0))


def _not_planned(run: Run) -> Iterator[str]:
    for one in run.seen:
        told = run.told_of(one)
        odd = [outcome for outcome in one.outcomes if not outcome.is_censored and not is_as_planned(outcome)]
        if odd:
            yield f"{told.name}: {counted(len(odd), 'job')} ended otherwise, first {_name(odd[0])}, {odd[0].state}"
        # What a scheduler leaves lying until patience is over is a result of its; what a child did not wait for is none.
        cut = [outcome for outcome in one.outcomes if outcome.is_censored]
        if cut and told.end is not None and told.end.outcome != "timeout":
            state = cut[0].state or "of which nothing was told"
            yield f"{told.name}: {counted(len(cut), 'job')} left before patience was over, first {_name(cut[0])}, {state}"


def _name(outcome: Outcome) -> str:
    return f"job {outcome.work.job} ({outcome.work.experiment})"


def _unclocked(begun: Sequence[tuple[Told, Begin]]) -> Iterator[str]:
    for told, begin in begun:
        if begin.clock.uncertainty_s > UNCERTAIN_S:
            yield f"{told.name}: the offset of {begin.clock.name} is known to {duration(begin.clock.uncertainty_s)} only"


def _clocks(begun: Sequence[tuple[Told, Begin]]) -> str:
    by_label = {told.label: begin.clock for told, begin in reversed(begun)}
    said = (
        f"{label}: {clock.name}, {duration(clock.offset_s)} ahead to within {duration(clock.uncertainty_s)}, in steps of "
        f"{duration(clock.resolution_s)}"
        for label, clock in reversed(by_label.items())
    )
    return "; ".join(said) or "no arm was begun"


def _nodes_missing(run: Run, begun: Sequence[tuple[Told, Begin]]) -> Iterator[str]:
    for told, begin in begun:
        if begin.nodes != run.spec.nodes:
            yield f"{told.name}: {counted(begin.nodes, 'node')}, {run.spec.nodes} were asked for"
        after = next((a for a in told.answers if isinstance(a, Nodes) and a.when == "after"), None)
        down = 0 if after is None else sum(n for state, n in after.states.items() if _is_down(state))
        if down:
            yield f"{told.name}: {counted(down, 'node')} down at the end"


def _is_down(state: str) -> bool:
    return any(word in state.lower() for word in ("down", "drain", "fail", "notready", "not ready"))


def _stale(run: Run, begun: Sequence[tuple[Told, Begin]]) -> Iterator[str]:
    for told, begin in begun:
        arm = run.spec.parsed[told.arm - 1]
        is_ours = arm.kind in ("mini-slurm", "simulated") or (arm.kind == "slurm" and not arm.name)
        if is_ours and not begin.fresh:
            yield f"{told.name}: its scheduler had seen jobs before"


def _changed(begun: Sequence[tuple[Told, Begin]]) -> Iterator[str]:
    first: dict[str, Begin] = {}
    for told, begin in begun:
        before = first.setdefault(told.label, begin)
        if (before.version, before.settings) != (begin.version, begin.settings):
            names = {n for n in {*before.settings, *begin.settings} if before.settings.get(n) != begin.settings.get(n)}
            yield f"{told.name}: {', '.join(sorted(names)) or 'its version'} was another one before"


def _stamps_apart(run: Run) -> Iterator[str]:
    for one in run.seen:
        told = run.told_of(one)
        if told.begin is None:
            continue
        clock = told.begin.clock
        off = [(stamps_off(outcome, clock.uncertainty_s), outcome) for outcome in one.outcomes]
        wrong = [(s, outcome) for s, outcome in off if s > clock.resolution_s + STAMPS_OFF_S]
        if wrong:
            s, first = wrong[0]
            yield f"{told.name}: stamps of {counted(len(wrong), 'job')} contradict each other, first {_name(first)}, by {duration(s)}"
