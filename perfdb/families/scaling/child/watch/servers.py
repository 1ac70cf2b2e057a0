"""The servers that a load is on: their CPU time, memory and threads, from /proc or as they tell it themselves."""

import json
import time

import asking
import processes

OURS_TIMEOUT_S = 0.5
# So many are looked at; of more, the first.
MOST = 256


class _Used:
    """What processes used since they were held: theirs, and that of children of theirs once these ended.

    A child that was held too is in both, once its parent has waited for it: then the parent's counts.
    """

    def __init__(self):
        self._alive = {}  # by PID and when it began: `(CPU seconds before, Stat)`
        self._ended_s = 0.0

    def hold(self, pid, since):
        """Whether it is there. Of one that began from `since` on, in ticks since boot, all counts; of others what is used from now."""
        told = processes.stat(pid)
        if told is not None and (pid, told.began) not in self._alive:
            self._alive[pid, told.began] = (0.0 if told.began >= since else _all_s(told), told)
        return told is not None

    def look(self):
        """`(CPU seconds, resident bytes, threads, processes)`."""
        ended = [self._alive.pop(key) for key in [key for key in self._alive if _now(key) is None]]
        for key, (first_s, last) in list(self._alive.items()):
            self._alive[key] = (first_s, _now(key) or last)
        waited_s = {pid: told.children_s for (pid, _), (_, told) in self._alive.items()}
        for first_s, last in ended:
            # One that no one waits for, as its parent chose, is in nobody's.
            in_parents = waited_s.get(last.parent, 0.0) >= _all_s(last)
            self._ended_s -= first_s if in_parents else first_s - _all_s(last)
        alive = [now for _, now in self._alive.values()]
        return (
            self._ended_s + sum(_all_s(now) - first_s for first_s, now in self._alive.values()),
            sum(now.memory for now in alive),
            sum(now.threads for now in alive),
            len(alive),
        )


def _all_s(told):
    return told.cpu_s + told.children_s


def _now(key):
    told = processes.stat(key[0])
    return told if told is not None and told.began == key[1] else None


class Server:
    """One backend or balancer.

    how: `processes` where they are this machine's, `stats` where it tells of itself, `none`. Until it is found: `none`.
    """

    def __init__(self, address, role):
        self.address = address
        self.role = role
        self.how = "none"
        self._used = _Used()
        self._last_s = 0.0
        self._added_s = 0.0

    def hold(self, pids, since):
        """These are its processes, besides those that were before; see `_Used.hold`."""
        for pid in pids:
            if self._used.hold(pid, since):
                self.how = "processes"

    def look(self):
        """`(CPU seconds since the first look, resident bytes, threads, processes)`, None where it says nothing."""
        return self._used.look() if self.how == "processes" else self._from_stats()

    def ask(self):
        """Try whether it tells of itself."""
        if self.role == "backend" and (told := self._told()) is not None:
            self.how = "stats"
            self._last_s = told[0]

    def _from_stats(self):
        told = self._told() if self.how == "stats" else None
        if told is None:
            return None
        # One that was started again counts from nothing.
        self._added_s += told[0] - self._last_s if told[0] >= self._last_s else told[0]
        self._last_s = told[0]
        return (self._added_s, *told[1:])

    def _told(self):
        try:
            told = json.loads(asking.get(self.address, "/stats", OURS_TIMEOUT_S) or b"")
            memory, threads, alive = (int(told[name]) for name in ("memory_bytes", "threads", "processes"))
            cpu_s = float(told["cpu_s"])
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return None
        fine = 0 <= cpu_s < 1e9 and min(memory, threads, alive) >= 0 and max(memory, threads, alive) < 2**53
        return (cpu_s, memory, threads, alive) if fine else None


class Servers:
    """All of them."""

    def __init__(self, balancer, backends, may_ask=True):
        """`balancer` may be None; each is (host, port). `may_ask`: whether those elsewhere are, which is traffic to them."""
        listed = ([Server(balancer, "balancer")] if balancer else []) + [Server(one, "backend") for one in backends]
        self.all = listed[:MOST]
        self._holders = processes.Holders()
        self._since = processes.since_boot()
        self._here = [one for one in self.all if processes.is_ours(one.address[0])]
        self._find()
        for one in self.all:
            if may_ask and one not in self._here:
                one.ask()

    def _find(self):
        """Look who listens at the addresses of this machine: servers may be started again, and workers come and go."""
        held = self._holders.of([one.address for one in self._here])
        for one in self._here:
            one.hold(held.get(one.address, ()), self._since)

    def look(self, until):
        """`[(number, CPU seconds, resident bytes, threads, processes)]`; those elsewhere are asked as long as there is time."""
        rows = []
        self._find()
        for number, one in enumerate(self.all):
            if one.how == "none" or (one.how == "stats" and time.monotonic() > until):
                continue
            told = one.look()
            if told is not None:
                rows.append((number, *told))
        return rows
