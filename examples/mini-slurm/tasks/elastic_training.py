#!/usr/bin/env python3
"""Training that follows its allocation, with nothing but Python: it polls the control file, and it has a signal handler.

    mini-slurm submit --elastic --cpus 2 --min-cpus 2 --max-cpus 8 --mem 4GB --priority 5 "python3 tasks/elastic_training.py"

Each epoch shares the samples among as many processes as the job has CPUs, adds up their gradients, and makes one step.
The model is the same whatever the allocation was: only how long an epoch takes depends on it.
"""

import argparse
import math
import multiprocessing
import os
import random
import signal
import time

WEIGHTS = 16


def read_control_file():
    """What the control file says, by name; empty outside mini-slurm, and where it can't be read."""
    try:
        with open(os.environ["MINI_SLURM_CONTROL_FILE"], encoding="utf-8") as file:
            return dict(line.rstrip("\n").split("=", 1) for line in file if "=" in line)
    except (KeyError, OSError):
        return {}


class Allocation:
    """How many CPUs the job has. Read from the file again when the signal came, and once an epoch in any case."""

    def __init__(self):
        self.cpus = int(os.getenv("MINI_SLURM_CURRENT_CPUS", "2"))
        self.refresh()
        signal.signal(signal.SIGUSR1, self.refresh)

    def refresh(self, *_):
        """Read how many CPUs there are now; a signal handler, too."""
        self.cpus = int(read_control_file().get("CPUS", self.cpus))


def samples(share, of, count):
    """The `share`-th part of the samples, the same in every epoch: points, and on which side of a plane they are."""
    for index in range(share, count, of):
        numbers = random.Random(index)
        point = [numbers.gauss(0, 1) for _ in range(WEIGHTS)]
        yield point, 1.0 if sum(point[::2]) > sum(point[1::2]) else 0.0


def gradient(task):
    """What one share of the samples says about the weights: the sum of its gradients, and of its losses."""
    share, of, count, weights = task
    total, loss = [0.0] * WEIGHTS, 0.0
    for point, side in samples(share, of, count):
        guess = 1 / (1 + math.exp(-sum(w * x for w, x in zip(weights, point))))
        loss -= math.log(max(1e-12, guess if side else 1 - guess))
        total = [t + (guess - side) * x for t, x in zip(total, point)]
    return total, loss


def train_epoch(workers, cpus, count, weights):
    """One step down the gradient, the samples shared by `cpus` processes; returns the weights and the loss."""
    parts = workers.map(gradient, [(share, cpus, count, weights) for share in range(cpus)])
    total = [sum(column) for column in zip(*(part for part, _ in parts))]
    return [w - 4.0 * t / count for w, t in zip(weights, total)], sum(loss for _, loss in parts) / count


def main():
    """Train for as many epochs as asked, each on the CPUs that there are then."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--samples", type=int, default=20000)
    options = parser.parse_args()

    allocation = Allocation()
    weights, cpus, workers = [0.0] * WEIGHTS, 0, None
    for epoch in range(1, options.epochs + 1):
        allocation.refresh()
        if allocation.cpus != cpus:
            print(f"epoch {epoch}: {cpus or 'no'} -> {allocation.cpus} processes", flush=True)
            cpus = allocation.cpus
            if workers:
                workers.terminate()
            workers = multiprocessing.Pool(cpus)
        began = time.monotonic()
        weights, loss = train_epoch(workers, cpus, options.samples, weights)
        print(f"epoch {epoch}: loss {loss:.4f}, {cpus} processes, {time.monotonic() - began:.2f} s", flush=True)
    workers.terminate()
    print(f"trained: loss {loss:.4f}", flush=True)


if __name__ == "__main__":
    main()
