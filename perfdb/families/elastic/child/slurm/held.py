"""A job as this controller knows it."""

import json
import os
import threading
import time

import telling

from perfdb.minislurm.control import Control


class Held:
    """One job of the mix.

    number, cpus, min_nodes, max_nodes, priority, arrival_s, units: as the mix has them; one of its CPUs is a node. id:
    Slurm's, None before it has one. nodes: what it holds; names: which ones, where its script runs first. to: what it is being
    resized to; `nodes` otherwise. generation: counts its resizes. resized_s: when the last one ended, None for never. seen: what Slurm said of it
    when it had begun. shares_clock: whether its clock is ours. seen_ns: when it was last seen to run.
    resized_at: when Slurm says that it resized it, in whole seconds since 1970.
    """

    def __init__(self, entry, folder):
        self.number = entry["job"]
        self.asked = entry["cpus"]
        self.min_nodes, self.max_nodes = entry["min_cpus"], entry["max_cpus"]
        self.units, self.priority, self.arrival_s = entry["units"], entry["priority"], entry["arrival_s"]
        self.is_elastic = entry["of"] == "elastic"
        self.id = None
        self.nodes = self.to = 0
        self.names = []
        self.seen = None
        self.generation = 0
        self.started_s = self.resized_s = None
        self.resized_at = []
        self.is_arriving = self.is_resizing = self.is_over = False
        self.shares_clock = False
        self.seen_ns = 0
        self._folder = folder
        self._lock = threading.Lock()
        self._allocated_ns = 0

    @property
    def is_running(self):
        """Whether it is known to hold nodes."""
        return self.nodes > 0 and not self.is_over

    @property
    def control(self):
        """Its control file."""
        return self.path("control")

    @property
    def answer(self):
        """What it says of its resizes."""
        return self.path("answer")

    def path(self, what):
        """One of its files."""
        return os.path.join(self._folder, f"job_{self.number}.{what}")

    def tell(self, nodes, names, status="RUNNING"):
        """Replace its control file, whose line NODES says which nodes it has; once it is over only to say how that was.

        Returns:
            When anybody could read it first, on CLOCK_MONOTONIC in nanoseconds.

        Raises:
            OSError: it could not be written; the old one stays.
        """
        state = Control(nodes, 0, self.min_nodes, self.max_nodes, status, time.time(), self.generation)
        with self._lock:
            if self.is_over and status == "RUNNING":
                return telling.now()
            with open(self.control + ".new", "w", encoding="utf-8") as file:
                file.write(f"{state.text()}NODES={','.join(names)}\n")
                file.flush()
                os.fsync(file.fileno())
            ns = telling.now()
            os.replace(self.control + ".new", self.control)
            return ns

    def tell_allocation(self, nodes, ns):
        """Tell perfdb that it holds so many from then on; once it is over that is none."""
        with self._lock:
            if nodes and self.is_over:
                return
            # It can have been over before we knew that it had grown.
            self._allocated_ns = max(ns, self._allocated_ns)
            telling.answer("allocation", job=self.number, ns=self._allocated_ns, cpus=nodes)

    def begun(self):
        """What it said when it began (see `on_node`), None before."""
        return self._said("node")

    def over(self):
        """What it said when it was over, None before, and where it could not say anything any more."""
        return self._said("over")

    def work(self):
        """What its program says of its work in the end: units given, done and lost; None where it says nothing."""
        try:
            with open(self.path("told"), encoding="utf-8", errors="replace") as file:
                said = json.loads(file.read().rstrip().rpartition("\n")[2])
            counts = {name: said[name] for name in ("units", "done", "lost")}
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return counts if all(type(count) is int and count >= 0 for count in counts.values()) else None

    def on_our_clock(self, ns, no_sooner=0):
        """`ns` where that was read from our clock; where the job has another one, now."""
        now = telling.now()
        return ns if self.shares_clock and no_sooner <= ns <= now else now

    def _said(self, what):
        try:
            with open(self.path(what), encoding="utf-8") as file:
                told = json.load(file)
        except (OSError, ValueError):
            return None
        fits = isinstance(told, dict) and type(told.get("ns")) is int and isinstance(told.get("boot"), str)
        # A job that Slurm ran again is told by its latest words.
        return told if fits and told.get("id") == self.id else None
