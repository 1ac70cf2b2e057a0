"""The Slurm that an arm is measured on: one of its own, a pocket cluster that runs, or the one that this host submits to."""

import os
import subprocess
import sys
import time
from pathlib import Path

import clock
import guard
import names
from commands import Refused, Slurm
from following import Following

from perfdb.errors import ClusterError
from perfdb.platforms.pocket import Options, Places, down, up

# Jobs that were just ended may still be on their nodes.
_EMPTY_S, _AGAIN_S = 30.0, 0.5
_FIRST_LOOK_S, _PAUSE_S = 60.0, 0.05
_LOOKS = "sched: Running job scheduler"
_MOST_NODES = 64
# Nobody knows how the clocks stand.
_UNKNOWN_S = 1e9
# `~`: powered down until somebody wants it.
_IDLE = ("idle", "idle~")
# Somebody's job is there, and nobody says for how long.
_BUSY = ("allocated", "mixed")


class Unfit(Exception):
    """The arm can't be measured here; the text says why, and what to do."""


class Cluster:
    """A Slurm that is up, with so many idle nodes.

    slurm: its commands. fresh: whether it has seen no job before. places: its files, None where it is no pocket cluster.
    log_from: how much of slurmctld's log was written before. nodes: the arm's, in Slurm's order. others: those of the same
    partition that it leaves alone. order: every node of the cluster. name: of the arm's jobs. preempt: as in `pocket.Options`.
    """

    def __init__(self, slurm, places, count, watching, *, fresh):
        self.slurm, self.places, self.fresh, self._watching = slurm, places, fresh, watching
        self.name = names.of_jobs()
        described = places.description() if places else None
        self.preempt = described.options.preempt if described else "off"
        for name in slurm.own_names():
            if names.are_orphaned_jobs(name):
                slurm.cancel(name)
        states = self._idle(count)
        idle = [node for node, state in states.items() if state in _IDLE]
        self.nodes, self.order = tuple(idle[:count]), tuple(states)
        self.others = tuple(node for node in states if node not in self.nodes)
        self.log_from = places.slurmctld_log.stat().st_size if places and not fresh else 0

    def _idle(self, count):
        deadline = time.monotonic() + _EMPTY_S
        while True:
            states = self.slurm.nodes()
            idle = sum(state in _IDLE for state in states.values())
            if len(states) < count:
                raise Unfit(
                    f"it has {len(states)} nodes in the partition that jobs get: give --nodes {max(1, len(states))}, or less"
                )
            if idle >= count:
                return states
            busy = sum(state.startswith(_BUSY) for state in states.values())
            if len(states) - busy < count or time.monotonic() > deadline:
                raise Unfit(
                    f"only {idle} of its {len(states)} nodes are idle, and an arm is measured where nobody else is: `sinfo` says "
                    f"what the others do; try again once they are, or with --nodes {max(1, idle)}"
                )
            time.sleep(_AGAIN_S)

    @property
    def has_log(self):
        """Whether its instants are read from slurmctld's log."""
        return self.places is not None

    def clock(self):
        """What `begin` says of the clock of the instants."""
        if self.has_log:
            return {"name": "slurmctld.log", "resolution_s": 0.001, "offset_s": 0.0, "uncertainty_s": 0.0}
        try:
            ahead_s, unsure_s = clock.offset(self.slurm.second)
        except Refused:
            ahead_s, unsure_s = 0.0, _UNKNOWN_S
        return {"name": "slurmctld", "resolution_s": 1.0, "offset_s": ahead_s, "uncertainty_s": unsure_s}

    def states(self):
        """How many of the arm's nodes are in which state."""
        found = {}
        for node, state in self.slurm.nodes().items():
            if node in self.nodes:
                found[state] = found.get(state, 0) + 1
        return found

    def take_down(self, patience_s):
        """End what is left of it, or, of somebody else's, the arm's jobs; returns what could not be ended, in words."""
        left = self._end_jobs(patience_s) if not self.fresh else _end(self.places)
        if not left:
            self._watching.communicate(guard.DONE)
        return left

    def end_jobs(self, patience_s):
        """End every job of the arm; returns whether none is left after so many seconds at most."""
        return not self._end_jobs(patience_s)

    def _end_jobs(self, patience_s):
        deadline = time.monotonic() + patience_s
        while True:
            try:
                if self.slurm.cancel(self.name):
                    return ""
                left = f"jobs named {self.name}"
            except Refused as refused:
                left = f"jobs named {self.name}: {refused}"
            if time.monotonic() > deadline:
                return left
            time.sleep(_AGAIN_S)


def own(plan, options, folder):
    """A pocket cluster of this process's own; it is gone again whatever is raised.

    Raises:
        ClusterError: it can't be brought up.
        Unfit: it has more nodes than such a cluster can.
    """
    if plan.nodes > _MOST_NODES:
        raise Unfit(
            f"a pocket cluster has {_MOST_NODES} nodes at most, and {plan.nodes} are asked for: give --nodes {_MOST_NODES}"
        )
    for each in Places.all():
        if names.is_orphaned_cluster(each.name):
            down(each, lambda _: None)
    places = Places.of(names.of_cluster())
    watching = _watched("cluster", places.name)
    try:
        # A node with one CPU is one that a job has to itself, however Slurm picks them.
        up(places, Options(nodes=plan.nodes, cpus=1, **dict(options)), lambda _: None)
        _wait_until_it_schedules(places)
        return Cluster(Slurm(folder, places.environment()), places, plan.nodes, watching, fresh=True)
    except BaseException:
        if not _end(places):
            watching.communicate(guard.DONE)
        raise


def _wait_until_it_schedules(places):
    """slurmctld's main scheduler first looks at its queue 3 s after the start, the backfill scheduler after 1 s already.

    An arm without backfill would pay for that, and no scheduler that has run for a while does.
    """
    deadline = time.monotonic() + _FIRST_LOOK_S
    log = Following(places.slurmctld_log, 0)
    while not any(_LOOKS in line for line in log.lines()):
        if time.monotonic() > deadline:
            raise Unfit(
                f"slurmctld did not look at its queue for {_FIRST_LOOK_S:g} s after it was up: try again when this machine does less"
            )
        time.sleep(_PAUSE_S)


def running(name, plan, folder):
    """The pocket cluster of that name, or with `here` the Slurm that this host submits to.

    Raises:
        Unfit: there is none, or it is busy.
        Refused: it does not answer.
    """
    if name == "here":
        conf = os.environ.get("SLURM_CONF")
        places = Places.of_conf(Path(conf)) if conf else None
        slurm = Slurm(folder)
    else:
        places = Places.of(name)
        if places.description() is None:
            raise Unfit(
                f"no pocket cluster {name!r} runs here: start it with `perfdb cluster up --name {name} --nodes {plan.nodes}`"
            )
        slurm = Slurm(folder, places.environment())
    jobs = names.of_jobs()
    watching = _watched("jobs", jobs, None if places is None else str(places.conf))
    try:
        return Cluster(slurm, places, plan.nodes, watching, fresh=False)
    except BaseException:
        watching.communicate(guard.DONE)
        raise


def _end(places):
    try:
        down(places, lambda _: None)
    except ClusterError as error:
        return str(error)
    return ""


def _watched(what, name, conf=None):
    """Start what ends it should we be killed."""
    env = {**os.environ, **({"SLURM_CONF": conf} if conf else {})}
    return subprocess.Popen(
        [sys.executable, guard.__file__, what, name],
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
