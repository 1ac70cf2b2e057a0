"""What makes a run of this family valid. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from perfdb.families.elastic.events import End
from perfdb.families.elastic.samples import Told
from perfdb.families.elastic.seen import ResizeSeen, Seen
from perfdb.families.elastic.spec import ElasticSpec
from perfdb.record import Check
from perfdb.units import counted, duration

_LONGEST, _MOST = 1500, 5
# Arrivals are a part of the load: who comes later waits less. Slurm looks at its queue once a second.
LATE_S = {"cpu": 0.25, "node": 1.0}
# Of the machine's CPU time, what others may use before the jobs' times are theirs too.
OTHERS_SHARE = 0.1


@dataclass(frozen=True)
class Arms:
    """All that is known of a run.

    Attributes:
        mix: The hash of the jobs that were asked for.
        told: What each child said, in the order in which they ran; `seen`: the same of those that were begun.
        last_words: By repetition and arm, of its child, for those that say nothing themselves.
    """

    spec: ElasticSpec
    mix: str
    told: Sequence[Told]
    seen: Sequence[Seen]
    last_words: dict[tuple[int, str], str]

    def of(self, told: Told) -> Seen | None:
        """What was seen of it."""
        return next((s for s in self.seen if (s.repetition, s.arm) == (told.repetition, told.arm)), None)


def checks_of(arms: Arms) -> Iterator[Check]:
    """All of them, each with what was found."""
    spec, seen = arms.spec, arms.seen

    def of(name: str, why: Callable[[Seen], Iterator[str]], fine: str) -> Check:
        return _check(name, [f"{one.name}: {said}" for one in seen for said in why(one)], fine)

    yield _check("arms_complete", list(_incomplete(arms)), f"every child of {counted(len(arms.told), 'arm')} told all")
    yield of("jobs_completed", _not_completed, f"each of {len(spec.mix)} jobs completed in every arm")
    yield _check(
        "load_equal", list(_unequal(arms)), f"every arm did the same {sum(job.units for job in spec.mix)} units of work"
    )
    yield of("arrivals_on_time", _late, f"each job arrived when it was to, {_latest(seen)} later at most")
    yield _check("arms_interleaved", list(_out_of_turn(arms)), "the arms took turns, every second time backwards")
    yield of("promised_within_offer", _oversubscribed, "never were more CPUs promised than were offered")
    yield of("bounds_kept", _out_of_bounds, "no job held fewer CPUs than its least or more than its most")
    yield of("resizes_told", _untold, f"each job was told of each of {_count(seen)} and answered")
    yield of("arms_as_asked", _not_as_asked, "with elasticity off nothing was resized")
    yield of("machine_idle_but_for_this", _others, _others_at_most(seen))


def _check(name: str, faults: Sequence[str], fine: str) -> Check:
    more = f"; and {len(faults) - _MOST} more" if len(faults) > _MOST else ""
    return Check(name=name, passed=not faults, detail=("; ".join(faults[:_MOST]) + more)[:_LONGEST] if faults else fine)


def trouble_of(arms: Arms, told: Told) -> str | None:
    """What kept an arm from its end; None where nothing did."""
    end = next((answer for answer in told.answers if isinstance(answer, End)), None)
    words = arms.last_words.get((told.repetition, told.arm), "")
    if end is None:
        return f"it did not come to its end{f'; its last words: {words}' if words else ''}"
    if end.outcome == "all":
        return None
    return _OUTCOMES[end.outcome] + (
        f": {end.trouble}" if end.trouble else f"; its last words: {words}" if words else ""
    )


_OUTCOMES = {
    "timeout": "not every job was over in time (--patience-s)",
    "stopped": "it was told to stop",
    "failed": "it failed",
}


def _incomplete(arms: Arms) -> Iterator[str]:
    for told in arms.told:
        name = f"repetition {told.repetition}, {told.arm}"
        if (trouble := trouble_of(arms, told)) is not None:
            yield f"{name}: {trouble}"
            continue
        end = next(answer for answer in told.answers if isinstance(answer, End))
        kinds = [answer.kind for answer in told.answers]
        lost = {kind: n - kinds.count(kind) for kind, n in end.given.items() if n != kinds.count(kind)}  # type: ignore[arg-type] # any word may be given
        if lost:
            yield f"{name}: what it told did not all come: {', '.join(f'{n} of {kind}' for kind, n in lost.items())}"


def _not_completed(one: Seen) -> Iterator[str]:
    for job in one.jobs.values():
        if job.state != "COMPLETED":
            yield f"{job.of} job {job.job} is {job.state or 'not known to have ended'}"


def _unequal(arms: Arms) -> Iterator[str]:
    for told in arms.told:
        begin, one = told.begin, arms.of(told)
        if begin is None or one is None:
            continue
        if begin.mix != arms.mix or begin.jobs != len(arms.spec.mix) or begin.arm != told.arm:
            yield f"{one.name}: it had other jobs than were asked for"
        if begin.cpus != arms.spec.cpus:
            yield f"{one.name}: {begin.cpus} CPUs were offered, {arms.spec.cpus} asked for"
        for job in one.jobs.values():
            if job.done != job.units:
                did = "told of none" if job.done is None else f"did {job.done}"
                yield f"{one.name}: {job.of} job {job.job} {did} of its {job.units} units"


def _late(one: Seen) -> Iterator[str]:
    for job in one.jobs.values():
        arrived = job.at.get("arrived")
        if arrived is not None and abs(arrived - job.planned_s) > LATE_S[one.unit]:
            yield f"job {job.job} arrived {duration(arrived - job.planned_s)} after it was to"


def _latest(seen: Sequence[Seen]) -> str:
    late = [job.at["arrived"] - job.planned_s for one in seen for job in one.jobs.values() if "arrived" in job.at]
    return duration(max(late, default=0.0))


def _out_of_turn(arms: Arms) -> Iterator[str]:
    expected = [(repetition, arm) for repetition in range(1, arms.spec.reps + 1) for arm in arms.spec.order(repetition)]
    ran = [(told.repetition, told.arm) for told in arms.told]
    if ran != expected[: len(ran)]:
        yield f"they ran in the order {', '.join(f'{arm} {repetition}' for repetition, arm in ran[:12])}"


def _oversubscribed(one: Seen) -> Iterator[str]:
    over = [(at, total) for at, total in one.totals if total > one.cpus]
    if over:
        at, total = max(over, key=lambda each: each[1])
        yield f"{total} CPUs were promised of {one.cpus}, {duration(at)} after its begin"


def _out_of_bounds(one: Seen) -> Iterator[str]:
    for at, job, cpus in one.steps:
        if cpus and not (1 if one.jobs[job].of == "elastic" else one.jobs[job].cpus) <= cpus <= (
            one.cpus if one.jobs[job].of == "elastic" else one.jobs[job].cpus
        ):
            yield f"{one.jobs[job].of} job {job} held {cpus} CPUs, {duration(at)} after the begin"


def _untold(one: Seen) -> Iterator[str]:
    for resize in one.in_turn:
        lacking = [stage for stage in ("written", "signalled", "acknowledged") if stage not in resize.at]
        if lacking and not _ended_meanwhile(one, resize) and not one.is_overtaken(resize):
            yield f"resize {resize.generation} of job {resize.job} was not {', '.join(lacking)}"
        elif resize.at.get("overdue") is not None:
            yield f"job {resize.job} did not let go in time at resize {resize.generation}"


def _ended_meanwhile(one: Seen, resize: ResizeSeen) -> bool:
    """Whether the job was over before it could have answered: it was never resized again, and the resize is not done."""
    later = any(other.job == resize.job and other.generation > resize.generation for other in one.resizes)
    return not later and "ended" in one.jobs[resize.job].at and "overdue" not in resize.at


def _count(seen: Sequence[Seen]) -> str:
    return counted(sum(len(one.in_turn) for one in seen), "resize")


def _not_as_asked(one: Seen) -> Iterator[str]:
    if one.arm == "off" and one.resizes:
        yield f"{counted(len(one.resizes), 'resize')} with elasticity off"


def _others_at_most(seen: Sequence[Seen]) -> str:
    known = [one.others_share for one in seen if one.others_share is not None]
    if not known:
        return "not known: nobody told what others used of the CPUs" + (
            ", which are those of the cluster's nodes" if any(one.unit == "node" for one in seen) else ""
        )
    unknown = f"; not known of {counted(len(seen) - len(known), 'arm')}" if len(known) < len(seen) else ""
    return f"others used {max(known):.1%} of the CPUs at most{unknown}"


def _others(one: Seen) -> Iterator[str]:
    if one.others_share is not None and one.others_share > OTHERS_SHARE:
        yield f"others used {one.others_share:.0%} of the machine's CPU time, {OTHERS_SHARE:.0%} are allowed"
