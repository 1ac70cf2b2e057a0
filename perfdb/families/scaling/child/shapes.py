"""When sessions begin, in seconds since the load's beginning: this client's share of what the plan asks for.

Client i of n has the sessions i, i + n, i + 2 n, …, so all clients together do exactly what one alone would.
"""

import math
import random
from itertools import islice

# A user whose session failed tries again after this long, so that a dead service is not hammered.
PAUSE_S = 0.1


class Shape:
    """What the engine asks.

    starts: iterator of `(session number, scheduled)`, in order.
    barrier_s: when sessions that are ready take their step together; None: each as soon as it can.
    over_s: no user begins another session from then on; None where sessions are not repeated. A user's next session has the
        number of the last plus `users`.
    window: the steady part: sessions scheduled from its first up to its second moment count for percentiles.
    """

    barrier_s = None
    over_s = None
    users = 0
    window = (0.0, math.inf)

    def __init__(self, starts):
        self.starts = starts


def of_plan(plan, client):
    """This client's share."""
    return _SHAPES[plan["shape"]](plan, client, plan["clients"])


def _burst(plan, client, clients):
    return Shape((number, 0.0) for number in range(client, plan["sessions"], clients))


def _ramped(plan, client, clients):
    share = plan["ramp_s"] / plan["sessions"]
    return Shape((number, number * share) for number in range(client, plan["sessions"], clients))


def _barrier(plan, client, clients):
    shape = _ramped(plan, client, clients)
    shape.barrier_s = plan["ramp_s"] + plan["settle_s"]
    return shape


def _closed(plan, client, clients):
    shape = _ramped(plan, client, clients)
    shape.window = _window(plan)
    shape.over_s = shape.window[1]
    shape.users = plan["sessions"]
    return shape


def _open(plan, client, clients):
    window = _window(plan)
    shape = Shape(islice(_arrivals(plan, window[1]), client, None, clients))
    shape.window = window
    return shape


_SHAPES = {"burst": _burst, "barrier": _barrier, "open": _open, "closed": _closed}


def _window(plan):
    begin = plan["ramp_s"] + plan["warm_up_s"]
    return begin, begin + plan["steady_s"]


def _arrivals(plan, end):
    """Every client's arrivals: the rate rises from 0 over the ramp, then stays.

    So many arrivals are expected up to t: rate * t^2 / (2 ramp) within the ramp, rate * (t - ramp / 2) after it. Evenly
    spaced counts give a constant rate, counts a unit exponential apart a Poisson process.
    """
    rate, ramp = plan["rate"], plan["ramp_s"]
    chance = random.Random(plan["seed"])  # noqa: S311 (spread, not secrecy)
    expected, number = 0.0, 0
    while True:
        if plan["poisson"]:
            expected += chance.expovariate(1.0)
        within = rate * ramp / 2
        at = math.sqrt(2 * ramp * expected / rate) if expected < within else expected / rate + ramp / 2
        if at >= end:
            return
        yield number, at
        number += 1
        if not plan["poisson"]:
            expected += 1.0
