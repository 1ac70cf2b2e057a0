"""How far the clocks of the client nodes are off ours, by asking them over and over."""

import time
from concurrent.futures import FIRST_COMPLETED, wait

LONGEST_S = 5.0
TRIPS = 5


class Clock:
    """One node's, by the shortest of some round trips.

    told: what that node said of itself. ahead_s: of ours. within_s: the error of that is no larger.
    """

    def __init__(self, told, ahead_s, within_s):
        self.told, self.ahead_s, self.within_s = told, ahead_s, within_s


def compare(nodes, boot, ask):
    """A clock for each node by the name of its worker pool; fewer than `nodes` where some did not answer in time.

    Args:
        nodes: How many to hear of.
        boot: The pseudonym of our own boot; whoever shares it shares our clock.
        ask: Hands one task over that tells the clock; returns its future.
    """
    best, trips, under_way = {}, {}, {}
    deadline = time.monotonic() + LONGEST_S
    while time.monotonic() < deadline and not (len(best) >= nodes and min(trips.values()) >= TRIPS):
        while len(under_way) < 2 * nodes:
            sent = time.time()
            future = ask()
            arrived = []
            future.add_done_callback(lambda _, arrived=arrived: arrived.append(time.time()))
            under_way[future] = (sent, arrived)
        done, _ = wait(under_way, timeout=max(0.01, deadline - time.monotonic()), return_when=FIRST_COMPLETED)
        for future in done:
            sent, arrived = under_way.pop(future)
            if future.exception() is None:
                _take(future.result(), sent, arrived[0] if arrived else time.time(), boot, best, trips)
    wait(under_way, timeout=LONGEST_S)  # their workers are needed next
    return best


def _take(told, sent, received, boot, best, trips):
    pool = told["pool"]
    # One that booted with us has our clock, so once is enough.
    trips[pool] = TRIPS if told["boot"] == boot else trips.get(pool, 0) + 1
    ahead_s = ((told["begun"] - sent) + (told["ended"] - received)) / 2
    within_s = max(0.0, ((received - sent) - (told["ended"] - told["begun"])) / 2)
    if told["boot"] == boot:
        ahead_s = within_s = 0.0
    if pool not in best or within_s < best[pool].within_s:
        best[pool] = Clock(told, ahead_s, within_s)
