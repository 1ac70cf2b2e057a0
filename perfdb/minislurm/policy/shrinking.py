"""Room for a job that waits, from running jobs of strictly lower priority. It is what makes elastic jobs good neighbours:
no job ends for another, and none goes below its minimum."""

from __future__ import annotations

from perfdb.minislurm.policy.cluster import Cluster, Resize, Rules, Running, Waiting
from perfdb.minislurm.policy.room import Room


def may_give(job: Running, to: Waiting) -> bool:
    """Whether `job` could be shrunk for `to`, once no resize of it is under way."""
    return job.is_elastic and not job.is_ending and job.priority < to.priority


class Shrinking:
    """The shrinks of one pass. A job is told once a pass, whoever it shrinks for."""

    def __init__(self, cluster: Cluster, rules: Rules) -> None:
        # A job that still has to let go is not told a second number: it would answer to the first.
        self._settled = [job for job in cluster.running if job.cpus == job.target_cpus] if rules.elastic else []
        self._targets: dict[int, int] = {}

    def serve(self, job: Waiting, room: Room) -> bool:
        """Have `job` start as soon as CPUs are let go, where that can be brought about; else change nothing.

        What is coming already counts first, and no more is taken than is missing: from the lowest priority, then from who has
        the most to give, then from the youngest.
        """
        if job.mem_mb > room.mem_mb:
            return False
        missing = job.cpus - room.free - room.coming
        if missing > 0:
            givers = [giver for giver in self._settled if may_give(giver, job) and self._gives(giver) > 0]
            if sum(map(self._gives, givers)) < missing:
                return False
            givers.sort(key=lambda giver: (giver.priority, -self._gives(giver), -giver.id))
            for giver in givers:
                given = min(self._gives(giver), missing)
                self._targets[giver.id] = giver.cpus - self._given(giver) - given
                room.coming += given
                missing -= given
                if not missing:
                    break
        room.claim(job)
        return True

    @property
    def resizes(self) -> tuple[Resize, ...]:
        """What to tell whom."""
        return tuple(Resize(id, cpus) for id, cpus in self._targets.items())

    def _given(self, giver: Running) -> int:
        return giver.cpus - self._targets.get(giver.id, giver.cpus)

    def _gives(self, giver: Running) -> int:
        return giver.cpus - self._given(giver) - giver.min_cpus
