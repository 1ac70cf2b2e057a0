#!/usr/bin/env python3
"""A pool of processes that grows and shrinks with its job, and loses no unit of work: it counts prime numbers.

    mini-slurm submit --elastic --cpus 1 --max-cpus 8 "python3 tasks/elastic_pool.py"

A shrink lets the processes that leave finish what they have in hand, while the others go on; then it is applied. A process
that is killed costs its unit, which is given out again. Outside mini-slurm the pool has the CPUs that there are.

It needs perfdb, as mini-slurm does: run it with the same Python, or take a copy of the folder perfdb/minislurm/job along.
"""

import argparse
import contextlib
import multiprocessing
import time
from multiprocessing import connection

from perfdb.minislurm.job import register


def primes_in(first, last):
    """How many primes there are from `first` to `last`: a unit of work."""
    found = 0
    for number in range(max(2, first), last + 1):
        divisor = 2
        while divisor * divisor <= number and number % divisor:
            divisor += 1
        found += divisor * divisor > number
    return found


def work(pipe):
    """A process of the pool: does one unit after another until it is told None."""
    while True:
        unit = pipe.recv()
        if unit is None:
            return
        pipe.send(primes_in(*unit))


class Worker:
    """A process, and what it has in hand."""

    def __init__(self):
        self.pipe, theirs = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=work, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()
        self.unit = None
        self.is_leaving = False


class Pool:
    """As many processes as it was last resized to, each with one unit in hand at most."""

    def __init__(self, units):
        self.units = units
        self.done = 0
        self.total = 0
        self.lost = 0
        self.workers = []

    @property
    def has_work(self):
        """Whether a unit waits or is under way."""
        return bool(self.units) or any(worker.unit for worker in self.workers)

    def resize(self, size):
        """Return when so many processes are left; all the others that are there do their work meanwhile."""
        while len(self.workers) < size:
            self.workers.append(Worker())
        for worker in self.workers[size:]:
            worker.is_leaving = True
        self.step(0)
        while any(worker.is_leaving for worker in self.workers):
            self.step(1)

    def step(self, patience_s, *others):
        """Give a unit to each process that has none. Then wait for a result, or one of `others`, and take what there is."""
        for worker in self.workers[:]:
            if worker.unit is None and worker.is_leaving:
                self.part_with(worker)
            elif worker.unit is None and self.units:
                worker.unit = self.units.pop()
                with contextlib.suppress(OSError):  # it died: `take` finds that out
                    worker.pipe.send(worker.unit)
        busy = {worker.pipe: worker for worker in self.workers if worker.unit}
        for ready in connection.wait([*busy, *others], patience_s):
            if ready in busy:
                self.take(busy[ready])

    def take(self, worker):
        """Take its result; of a process that died, its unit."""
        try:
            self.total += worker.pipe.recv()
            self.done += 1
            worker.unit = None
        except (EOFError, OSError):
            self.units.append(worker.unit)
            self.lost += 1
            self.workers.remove(worker)
            if not worker.is_leaving:
                self.workers.insert(0, Worker())

    def part_with(self, worker):
        """End a process, and return once it is gone."""
        with contextlib.suppress(OSError):
            worker.pipe.send(None)
        worker.process.join()
        self.workers.remove(worker)


def main():
    """Count primes with as many processes as there are CPUs for them at any time."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--below", type=int, default=2_000_000, help="count the primes below this")
    parser.add_argument("--unit", type=int, default=5_000, help="so many numbers at a time")
    options = parser.parse_args()

    job = register()
    units = [(first, min(first + options.unit, options.below) - 1) for first in range(0, options.below, options.unit)]
    count = len(units)
    pool = Pool(units)
    pool.resize(job.cpus)
    told_s = 0.0
    while pool.has_work:
        pool.step(1, job)
        resize = job.poll()
        if resize:
            lost = pool.lost
            pool.resize(resize.cpus)
            resize.applied(lost_units=pool.lost - lost, paused_s=0)
            print(f"{resize.cpus_before} -> {resize.cpus} processes, {pool.done} of {count} units done", flush=True)
        elif time.monotonic() - told_s > 1:
            told_s = time.monotonic()
            print(f"{pool.done} of {count} units done by {len(pool.workers)} processes", flush=True)
    pool.resize(0)
    print(f"{pool.done} of {count} units done: {pool.total} primes below {options.below}", flush=True)


if __name__ == "__main__":
    main()
