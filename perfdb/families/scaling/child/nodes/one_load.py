"""One load, shared out to the client nodes."""

import json
import time
from concurrent.futures import wait

import clocks
import words
from pool import Unfit

# From here to the load's beginning: every task is on its node, every client up by then.
START_S, START_EACH_S = 2.5, 0.4
# What a node gets beyond the longest that its sessions can take, to account for them and to send that.
LATE_S = 30.0
LOOK_S = 1.0


def one_load(pool, plan, boot, submit, packed, facts, caller):
    """Have every node do its share of the plan and pass on what they say; returns why there can be no further load, or None.

    Args:
        pool: The nodes.
        plan: The load, as a dictionary.
        boot: The pseudonym of our own boot.
        submit: Hands a function of on_node.py over, with its arguments but the key; returns the future.
        packed: The client's files.
        facts: Text that tells what a host is.
        caller: Who asked.

    Raises:
        Unfit: nodes are missing.
    """
    if pool.lost:
        raise Unfit(f"{pool.lost} of {pool.pools} client nodes are lost")
    known = clocks.compare(pool.pools, boot, lambda: submit("clock", facts))
    if len(known) < pool.pools:
        raise Unfit(f"{pool.pools - len(known)} of {pool.pools} client nodes did not tell their clocks")
    shares = shared_out(plan["clients"], pool.nodes)
    begin_at = time.time() + START_S + START_EACH_S * shares[0][1]
    theirs = {clock.told["boot"]: begin_at + clock.ahead_s for clock in known.values()}
    # When, for whoever watches the service meanwhile: what the clients say comes once all is over.
    caller.tell("note", text=f"{plan['clients']} clients on {pool.nodes} nodes begin", begin_at=begin_at)
    futures = {
        submit("share", packed, json.dumps(plan), first, count, theirs): (first, count) for first, count in shares
    }
    left_s = begin_at - time.time() + longest_s(plan) + LATE_S
    deadline = time.monotonic() + left_s
    why = f"its node said nothing for {left_s:.0f} s"
    left = set(futures)
    while left and time.monotonic() < deadline and not caller.gone:
        done, left = wait(left, timeout=LOOK_S)
        for future in done:
            _tell(future, futures[future], known, pool.names, caller)
        # A node whose job is over says nothing more, and Parsl may take minutes to notice.
        failed = sum(future.exception() is not None for future in futures if future not in left)
        if 0 < len(left) <= pool.ended - failed and not done:
            why = "its node was lost in the middle: the job there is over"
            break
    for future in left:
        _failed(futures[future][0], why, caller)
    return "a client node did not come back from the load before" if left else None


def shared_out(clients, nodes):
    """The first client of each node and how many it has: as evenly as can be, the largest first."""
    each, more = divmod(clients, nodes)
    return [(index * each + min(index, more), each + (index < more)) for index in range(nodes)]


def longest_s(plan):
    """No session lasts longer than that after the load's beginning."""
    built_s = plan["ramp_s"] + plan["settle_s"] + plan["warm_up_s"] + plan["steady_s"]
    return built_s + plan["timeout_s"]


def _tell(future, share, known, names, caller):
    first, count = share
    error = future.exception()
    if error is not None:
        _failed(first, words.trouble(error, names), caller)
        return
    told = future.result()
    clock = known.get(told["pool"])
    caller.tell(
        "client_node",
        client=first,
        clients=count,
        node=told["node"],
        boot=told["boot"],
        ahead_s=clock.ahead_s if clock else None,
        within_s=clock.within_s if clock else None,
        facts=clock.told.get("facts") if clock else None,
    )
    for line in told["said"].splitlines(True):
        if '"kind":"begin"' in line and clock:
            begin = json.loads(line)
            caller.tell(**dict(begin, begin_at=begin["begin_at"] - clock.ahead_s))  # by our clock
        elif '"kind":"progress"' not in line:  # how things stood is no news any more
            caller.pass_on(line)
    if not told["said"]:
        _failed(first, f"nothing was said by its program, which ended with {told['code']}: {told['words']}", caller)


def _failed(client, why, caller):
    caller.tell("end", client=client, outcome="failed", trouble=why[: words.LONGEST_TROUBLE])
