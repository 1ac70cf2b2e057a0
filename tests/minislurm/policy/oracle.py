"""When the head of a queue would start if nobody else ever did: played through, event by event."""

from __future__ import annotations

from collections.abc import Iterable

from perfdb.minislurm.policy.cluster import Cluster, Rules, Running, Waiting


class _Held:
    """What one running job holds, as time goes on."""

    def __init__(self, job: Running, rules: Rules) -> None:
        self.job = job
        self.cpus = job.cpus
        self.target = job.target_cpus
        self.lets_go_s: float | None = None
        if self.cpus != self.target:
            assert job.resized_s is not None
            self.lets_go_s = job.resized_s + rules.release_s

    def ends(self, now_s: float) -> bool:
        return self.job.ends_by_s is not None and self.job.ends_by_s <= now_s

    def let_go(self, now_s: float) -> None:
        if self.lets_go_s is not None and self.lets_go_s <= now_s:
            self.cpus, self.lets_go_s = self.target, None

    def shrink_by(self, cpus: int, lets_go_s: float) -> None:
        self.target = self.cpus - cpus
        self.lets_go_s = lets_go_s


def start_s(head: Waiting, cluster: Cluster, running: Iterable[Running], rules: Rules, answer_s: float) -> float | None:
    """When `head` starts if all that is running ends at its limit and not before, shrinks under way are let go of at their
    deadline, and further ones are answered after `answer_s`; None for never."""
    now_s = cluster.now_s
    held = [_Held(job, rules) for job in running]
    while True:
        held = [each for each in held if not each.ends(now_s)]
        for each in held:
            each.let_go(now_s)
        mem_mb = cluster.mem_mb - sum(each.job.mem_mb for each in held)
        free = cluster.cpus - sum(each.cpus for each in held)
        if mem_mb >= head.mem_mb:
            if free >= head.cpus:
                return now_s
            coming = sum(each.cpus - each.target for each in held)
            missing = head.cpus - free - coming
            lower = [each for each in held if _could_shrink(each, head, rules)]
            if 0 < missing <= sum(each.cpus - each.job.min_cpus for each in lower):
                for each in lower:
                    given = min(missing, each.cpus - each.job.min_cpus)
                    if given:
                        each.shrink_by(given, now_s + answer_s)
                        missing -= given
                if answer_s == 0:
                    continue
        times = [each.job.ends_by_s for each in held] + [each.lets_go_s for each in held]
        later = [time for time in times if time is not None and time > now_s]
        if not later:
            return None
        now_s = min(later)


def _could_shrink(each: _Held, head: Waiting, rules: Rules) -> bool:
    return (
        rules.elastic
        and each.job.is_elastic
        and not each.job.is_ending
        and each.job.priority < head.priority
        and each.lets_go_s is None
    )
