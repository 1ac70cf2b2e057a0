"""When what happened to a job, in nanoseconds since 1970 on the scheduler's clock, by whoever knows it best."""

from following import Following

from perfdb.platforms.slurm_log import ControllerLog

_S, _MS = 10**9, 10**6


class ByLog:
    """slurmctld's own log, to the millisecond. `log_from`: how much of it was written before."""

    def __init__(self, places, log_from):
        self._following = Following(places.slurmctld_log, log_from)
        self._power_events = places.power_events
        self._log = ControllerLog()

    def look(self):
        """Read what is new."""
        for line in self._following.lines():
            self._log.hear(line)

    def has_begun(self, id):
        """Whether it has its nodes, or had them."""
        return self._log.has_begun(id)

    def is_over(self, id):
        """Whether it is, its nodes given back."""
        return self._log.is_over(id)

    def instants(self, id, seen):
        """Every milestone of `events.JobTold`; `seen` is what Slurm tells of the job."""
        told = self._log.times(id, ())
        submitted, allocated, started, ended, released = map(
            _ns, (told.pending, told.allocated, told.started, told.over, told.given_back)
        )
        # The log says nothing of it. Slurm's second of it is later than ours only where the job had to wait for it.
        eligible = submitted
        if seen.eligible is not None and submitted is not None and seen.eligible * _S > submitted:
            eligible = seen.eligible * _S
        return {
            "submitted": submitted,
            "eligible": eligible,
            "allocated": allocated,
            "started": started,
            "ended": ended or released,
            "released": released,
        }


class BySlurm:
    """What Slurm tells anybody, in whole seconds. `jobs`: asks for what it knows of every job, by id."""

    def __init__(self, jobs):
        self._jobs = jobs
        self._seen = {}

    def look(self):
        """Ask."""
        self._seen.update(self._jobs())

    def has_begun(self, id):
        """Whether it has its nodes, or had them."""
        return id in self._seen and self._seen[id].started is not None and self._seen[id].state != "PENDING"

    def is_over(self, id):
        """Whether it is, its nodes given back."""
        return id in self._seen and self._seen[id].has_left

    def instants(self, _id, seen):
        """Every milestone of `events.JobTold`; when nodes were given back nobody says."""
        # A job that waits has a start that Slurm only plans, and a running one such an end.
        started = seen.started if seen.state != "PENDING" else None
        ended = seen.ended if seen.is_over else None
        return {
            "submitted": _whole(seen.submitted),
            "eligible": _whole(seen.eligible),
            "allocated": _whole(started),
            "started": _whole(started),
            "ended": _whole(ended),
            "released": None,
        }


def inside(path, *, waits):
    """What the job itself says: (when it began, when it ended, whether it was ended at its limit), of its last time.

    `waits`: it was requeued, and what it did before does not count.
    """
    began = ended = None
    at_limit = False
    if waits:
        return began, ended, at_limit
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            rows = [line.split() for line in file if line.endswith("\n")]
    except OSError:
        return None, None, False
    for row in rows:
        if len(row) != 2 or not row[1].isdigit():
            continue
        if row[0] == "began":
            began, ended, at_limit = int(row[1]), None, False
        elif row[0] == "limit":
            at_limit = True
        elif row[0] == "ended":
            ended = int(row[1])
    return began, ended, at_limit


def _ns(stamp):
    # A float of today's seconds holds a millisecond, and no nanosecond.
    return None if stamp is None else round(stamp.at.timestamp() * 1000) * _MS


def _whole(second):
    return None if second is None else second * _S
