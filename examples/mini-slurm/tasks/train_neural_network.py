#!/usr/bin/env python3
"""A small neural network that learns which of two interleaved moons a point belongs to; about ten seconds on one CPU.

    mini-slurm submit --cpus 4 --mem 4GB --priority 10 "python3 tasks/train_neural_network.py"

One hidden layer, plain stochastic gradient descent, nothing but Python, one process. It is not elastic: it is what others
make room for. It ends with exit code 1 where it did not learn.
"""

import argparse
import math
import random
import sys

HIDDEN = 12
RATE = 0.05


def moons(count, numbers):
    """`count` points of two half circles that reach into each other, each with the moon it belongs to."""
    points = []
    for index in range(count):
        moon, angle = index % 2, numbers.uniform(0, math.pi)
        x, y = math.cos(angle), math.sin(angle)
        if moon:
            x, y = 1 - x, 0.5 - y
        points.append((x + numbers.gauss(0, 0.1), y + numbers.gauss(0, 0.1), moon))
    return points


class Network:
    """Two inputs, one hidden layer of tanh, one output between 0 and 1."""

    def __init__(self, numbers):
        self.hidden = [[numbers.gauss(0, 1) for _ in range(3)] for _ in range(HIDDEN)]
        self.output = [numbers.gauss(0, 0.5) for _ in range(HIDDEN + 1)]

    def forward(self, x, y):
        """What the hidden layer makes of a point, and what the network does."""
        layer = [math.tanh(a * x + b * y + c) for a, b, c in self.hidden]
        total = sum(w * h for w, h in zip(self.output, layer)) + self.output[-1]
        return layer, 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))

    def learn(self, x, y, moon):
        """One step down the gradient of one point's loss; returns that loss."""
        layer, guess = self.forward(x, y)
        error = guess - moon
        for index, h in enumerate(layer):
            back = error * self.output[index] * (1 - h * h)
            self.output[index] -= RATE * error * h
            weights = self.hidden[index]
            weights[0] -= RATE * back * x
            weights[1] -= RATE * back * y
            weights[2] -= RATE * back
        self.output[-1] -= RATE * error
        return -math.log(max(1e-12, guess if moon else 1 - guess))


def main():
    """Train, and fail where it did not learn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=2000)
    parser.add_argument("--points", type=int, default=600)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()

    numbers = random.Random(options.seed)
    learned, unseen = moons(options.points, numbers), moons(options.points, numbers)
    network = Network(numbers)
    every = max(1, options.epochs // 10)
    for epoch in range(1, options.epochs + 1):
        numbers.shuffle(learned)
        loss = sum(network.learn(*point) for point in learned) / len(learned)
        if epoch % every == 0 or epoch == options.epochs:
            print(f"epoch {epoch}: loss {loss:.4f}", flush=True)
    right = sum((network.forward(x, y)[1] > 0.5) == bool(moon) for x, y, moon in unseen)
    print(f"{right / len(unseen):.1%} of {len(unseen)} unseen points are told right", flush=True)
    sys.exit(0 if right > 0.9 * len(unseen) else 1)


if __name__ == "__main__":
    main()
