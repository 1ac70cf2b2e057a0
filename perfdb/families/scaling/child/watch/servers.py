"""The servers that a load is on: their CPU time, memory and threads, from /proc or as they tell it themselves."""

import json
import time

import asking
import processes

OURS_TIMEOUT_S = 0.5
# So many are looked at; of more, the first.
MOST = 256


class Server:
    """One backend or balancer.

    how: `processes` where they are this machine's, `stats` where it tells of itself, `none`. Until it is found: `none`.
    """

    def __init__(self, address, role):
        self.address = address
        self.role = role
        self.how = "none"
        self._used_s = {}
        self._last_s = 0.0
        self._added_s = 0.0

    def hold(self, pids, since):
        """These are its processes. Of one that began after `since`, in ticks, all time counts; of others what they use from now."""
        for pid in pids:
            try:
                cpu_s, _, began, _ = processes.stat(pid)
            except (OSError, ValueError, IndexError):
                continue
            self.how = "processes"
            self._used_s[pid, began] = [0.0 if began > since else cpu_s, cpu_s]

    def look(self):
        """`(CPU seconds since the first look, resident bytes, threads, processes)`, None where it says nothing."""
        return self._from_proc() if self.how == "processes" else self._from_stats()

    def _from_proc(self):
        memory = threads = alive = 0
        for key, used in self._used_s.items():
            try:
                cpu_s, its_threads, began, its_memory = processes.stat(key[0])
            except (OSError, ValueError, IndexError):
                continue
            if began == key[1]:
                used[1] = cpu_s
                memory, threads, alive = memory + its_memory, threads + its_threads, alive + 1
        return sum(last - first for first, last in self._used_s.values()), memory, threads, alive

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

    def __init__(self, balancer, backends):
        """`balancer` may be None; each is (host, port)."""
        listed = ([Server(balancer, "balancer")] if balancer else []) + [Server(one, "backend") for one in backends]
        self.all = listed[:MOST]
        self._holders = processes.Holders()
        self._since = time.clock_gettime(time.CLOCK_BOOTTIME) * processes.TICKS
        self._here = [one for one in self.all if processes.is_ours(one.address[0])]
        self._elsewhere = [one for one in self.all if one not in self._here]
        self.find()
        for one in self._elsewhere:
            one.ask()

    def find(self):
        """Look who listens at the addresses of this machine; for new processes, as of one that was started again."""
        held = self._holders.of([one.address for one in self._here])
        for one in self._here:
            one.hold(held.get(one.address, ()), self._since)

    def look(self, until):
        """`[(number, CPU seconds, resident bytes, threads, processes)]`; those elsewhere are asked as long as there is time."""
        rows = []
        if any(one.how == "processes" and not one.look()[3] for one in self._here):
            self.find()
        for number, one in enumerate(self.all):
            if one.how == "none" or (one.how == "stats" and time.monotonic() > until):
                continue
            told = one.look()
            if told is not None:
                rows.append((number, *told))
        return rows
