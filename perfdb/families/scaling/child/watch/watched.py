"""Runs a load's program, and watches the service meanwhile, in a process of its own so that the clients are not disturbed.

PERFDB_WATCH, JSON: `argv` of the program; `admin`, HOST:PORT of Envoy's admin or null to try the URL's host; `fault_after_s`
and `fault_argv`, or null. What the program says is passed on, and between its lines stands what is seen of the service; see
`clients/answers.py`. Standard library alone, any Python since 3.8 on Linux.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
import fault
import telling
import watch

del sys.path[:2]

LOOK_S = 1.0
# Of a fault's command, once the load is over.
GRACE_S = 5.0
# A line that tells of a load's beginning or end is no longer.
SHORT = 4096


def main():
    """Run it to its end; the exit code is the program's."""
    asked = json.loads(os.environ.pop("PERFDB_WATCH"))
    watching = watch.Watch(
        json.loads(os.environ["PERFDB_LOAD_PLAN"])["url"], os.environ["PERFDB_HOST_KEY"], asked["admin"]
    )
    watching.before()
    parent = os.getppid()
    process = subprocess.Popen(asked["argv"], stdout=subprocess.PIPE)

    def stop(number, frame):
        process.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    heard = queue.Queue()
    threading.Thread(target=_pass_on, args=(process.stdout, heard), daemon=True).start()
    planned = fault.Fault(asked["fault_argv"], asked["fault_after_s"], time.time) if asked["fault_argv"] else None
    _Loop(watching, heard, planned, parent, stop).run()
    watching.after()
    code = process.wait()
    return code if code >= 0 else 128 - code


class _Loop:
    """Everything while the program runs."""

    def __init__(self, watching, heard, planned, parent, stop):
        self._watching, self._heard, self._fault = watching, heard, planned
        self._parent, self._stop = parent, stop
        self._begin = None
        self._over = False
        self._notice = None
        self._noticed = False
        self._next_notice = 0.0

    def run(self):
        """Until the program has said all."""
        look_at = time.time() + LOOK_S
        while True:
            due = self._due(look_at)
            try:
                kind, at = self._heard.get(timeout=max(0.0, due - time.time()))
            except queue.Empty:
                kind = None
            if kind == "end":
                break
            if kind in ("begin", "note") and self._begin is None:
                self._begin = look_at = at  # what it has used up to then is not the load's
                if kind == "note":  # nodes were waited for since we looked
                    self._watching.again()
            elif kind == "over" and not self._over:
                self._over = True
                self._watching.look()
            now = time.time()
            if now >= look_at:
                if self._begin is not None:
                    self._watching.look()
                look_at = max(look_at + LOOK_S, time.time() + LOOK_S / 2)
                if os.getppid() != self._parent:  # whoever started us is gone, and nobody would end the program
                    self._stop(signal.SIGTERM, None)
            self._see_to_fault(time.time())
        if self._fault is not None and self._fault.at is not None and not self._fault.told:
            self._tell_fault(self._fault.ended(GRACE_S))

    def _due(self, look_at):
        planned = self._fault
        if planned is None or self._begin is None or self._over:
            return look_at
        if planned.at is None:
            return min(look_at, self._begin + planned.after_s)
        return min(look_at, self._next_notice) if self._notice is not None else look_at

    def _see_to_fault(self, now):
        planned = self._fault
        if planned is None or self._begin is None or self._over:
            return
        if planned.at is None:
            if now < self._begin + planned.after_s:
                return
            planned.begin()
            self._next_notice = now
            self._notice = fault.Notice()
        if not planned.told and (ended := planned.ended()) is not None:
            self._tell_fault(ended)
        if self._notice is not None and now >= self._next_notice:
            if not self._watching.notice(self._notice):
                self._notice = None
                return
            self._noticed = self._noticed or not self._notice.well
            if self._noticed and self._notice.well:
                self._notice = None
                return
            self._next_notice = time.time() + (fault.RECOVER_S if self._noticed else fault.NOTICE_S)

    def _tell_fault(self, ended):
        took_s, code = ended
        self._fault.told = True
        telling.answer("fault", at=self._fault.at, took_s=took_s, code=code)


def _pass_on(stream, heard):
    clients, over = 1, set()
    for line in stream:
        telling.line(line)
        if len(line) < SHORT and (b'"begin_at"' in line or b'"counts"' in line):
            try:
                answer = json.loads(line)
                if "begin_at" in answer:  # for clients on nodes it is told before them
                    heard.put((answer["kind"], float(answer["begin_at"])))
                    clients = int(answer.get("clients", clients))
                elif answer["kind"] == "counts":
                    over.add(int(answer["client"]))
                    if len(over) == clients:
                        heard.put(("over", None))
            except (ValueError, KeyError, TypeError):
                pass
    heard.put(("end", None))


if __name__ == "__main__":
    sys.exit(main())
