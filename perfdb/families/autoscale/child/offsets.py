"""How far the clocks of other hosts are off ours, by asking them over and over."""

import queue
import time

import telling

LONGEST_S = 5.0
TRIPS = 5


def tell(boots, boot, ask):
    """How far the clocks of other machines are off ours, by the shortest of some round trips.

    Args:
        boots: Pseudonyms of the boots of all hosts that ran a task, each with its host's: names of hosts may be the same.
        boot: Ours; whoever shares it shares our clock.
        ask: Hands one task over that tells the clock; returns its future.
    """
    best = {theirs: (0.0, 0.0) for theirs in boots if theirs == boot}
    trips = dict.fromkeys((theirs for theirs in boots if theirs != boot), 0)
    deadline = time.monotonic() + LONGEST_S
    while trips and min(trips.values()) < TRIPS and time.monotonic() < deadline:
        for told, sent, received in _round_trips(ask, 2 * len(trips), deadline):
            (t0, _), (t1, _), (t2, _), (t3, _) = sent, told["started"], told["ended"], received
            within = max(0.0, ((t3 - t0) - (t2 - t1)) / 2)
            theirs = told["boot"]
            telling.answer(
                "clock_asked", ended=told["ended"], **{n: told[n] for n in ("block", "pool", "host", "boot")}
            )
            if theirs in trips:
                trips[theirs] += 1
                if theirs not in best or within < best[theirs][1]:
                    best[theirs] = (((t1 - t0) + (t2 - t3)) / 2, within)
    for theirs, (ahead, within) in sorted(best.items()):
        telling.answer("offset", host=boots[theirs], boot=theirs, ahead_s=ahead, within_s=within)


def _round_trips(ask, count, deadline):
    arrived = queue.Queue()
    for _ in range(count):
        sent = telling.stamp()
        ask().add_done_callback(lambda done, sent=sent: arrived.put((done, sent, telling.stamp())))
    for _ in range(count):
        try:
            done, sent, received = arrived.get(timeout=max(0.01, deadline - time.monotonic()))
        except queue.Empty:
            return
        if done.exception() is None:
            yield done.result(), sent, received
