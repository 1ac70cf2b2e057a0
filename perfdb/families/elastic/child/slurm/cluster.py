"""The part of a cluster that a run has to itself."""

import time

import names
from commands import Refused

# Jobs that were just ended may still be on their nodes.
EMPTY_S, AGAIN_S = 60.0, 0.5


class Unfit(Exception):
    """The cluster can't be measured; the text says why, and what to do."""


class Cluster:
    """So many idle nodes of the partition that jobs get when nobody says which.

    name: of the run's jobs. helpers: of its helper jobs. nodes: those that it has, in Slurm's order. others: nodes of the
    partition that it leaves alone. size: how many nodes the partition has.
    """

    def __init__(self, slurm, count):
        self.slurm = slurm
        self.name = names.of_this_process()
        self.helpers = names.of_helpers(self.name)
        end_orphans(slurm)
        deadline = time.monotonic() + EMPTY_S
        while True:
            states = slurm.partition_nodes()
            idle = sorted(node for node, state in states.items() if state.startswith("idle"))
            if len(states) < count:
                raise Unfit(f"the partition has {len(states)} nodes: give --cpus {max(1, len(states))}, or less")
            if len(idle) >= count:
                break
            if time.monotonic() > deadline:
                raise Unfit(
                    f"only {len(idle)} of {len(states)} nodes are idle, after a wait of {EMPTY_S:g} s: `sinfo` says what the "
                    f"others do; try again with --cpus {max(1, len(idle))}, or once they are"
                )
            time.sleep(AGAIN_S)
        self.size = len(states)
        mine = set(idle[:count])
        self.nodes = [node for node in slurm.node_order() if node in mine]
        self.others = sorted(set(states) - mine)

    def before(self, node):
        """Nodes of the run that a job whose script runs on `node` must never get.

        Slurm takes a batch job for lost whose script does not run on the first of its nodes: it ends it when one of them
        registers again, which is every ten minutes or so (22.05; "missing from batch node").
        """
        return self.nodes[: self.nodes.index(node)] if node in self.nodes else []

    def end_all(self):
        """End every job of this run; returns whether none is left."""
        left = [name for name in (self.helpers, self.name) if not self.slurm.cancel_named(name)]
        return not left


def end_orphans(slurm):
    """End what earlier runs of this host left behind when they were killed.

    Raises:
        Refused: Slurm can't be asked.
    """
    for name in slurm.own_names():
        if names.is_orphan(name):
            slurm.cancel_named(name)


def end_patiently(cluster, patience_s):
    """End every job of this run, again and again for at most so long; returns whether none is left."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            if cluster.end_all():
                return True
        except Refused:
            pass
        if time.monotonic() > deadline:
            return False
        time.sleep(AGAIN_S)
