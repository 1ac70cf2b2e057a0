"""`hold.py CLIENTS [NODES]` keeps the client nodes, and has them do a load whenever `ask.py` asks, until it is told to end.

So nodes are waited for once, not once for each load. Standard library and Parsl alone, any Python since 3.8 on Linux.
"""

import json
import os
import signal
import socket
import sys
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
ABOVE = os.path.dirname(HERE)
# Short, and bound from within its folder: the whole path of a socket has room for 107 signs.
SOCKET = "asked"


class Stopped(BaseException):
    """We were told to end."""


def listening(folder):
    """A socket in a folder that is ours alone."""
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    here = os.getcwd()
    os.chdir(folder)
    try:
        server.bind(SOCKET)
    finally:
        os.chdir(here)
    server.listen(4)
    return server


# First of all: whoever asks from now on waits for us, and notices if we end.
SERVER = listening(os.environ["PERFDB_RUN_DIR"]) if __name__ == "__main__" else None

sys.path[:0] = [HERE, ABOVE, os.path.join(ABOVE, "..", "..", "..", "parsl_config", "child")]
import one_load
import packed
import parsl
import telling
import user_config
import words
from pool import Pool, Unfit

del sys.path[:3]

with open(os.path.join(ABOVE, "on_node.py"), encoding="utf-8") as file:
    ON_NODE = file.read()
KEY = os.environ.get("PERFDB_HOST_KEY", "")


# Parsl sends it to the nodes whole because it is of __main__; of a module it would send the name only.
@parsl.python_app
def on_node(source, name, arguments):
    """Run one function of on_node.py."""
    namespace = {}
    exec(source, namespace)
    return namespace[name](*arguments)


def submit(name, *arguments):
    """Hand one over; `share` gets the key after the plan, `clock` before the rest."""
    arguments = (*arguments[:2], KEY, *arguments[2:]) if name == "share" else (KEY, *arguments)
    return on_node(ON_NODE, name, arguments)


class Holder:
    """The nodes, once somebody asks."""

    def __init__(self, clients, nodes):
        self._clients, self._nodes = clients, nodes
        self._pool = self._unfit = None
        self._packed = packed.packed()
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            self._boot = telling.pseudonym(KEY, file.read().strip())
        with open(os.environ["PERFDB_FACTS"], encoding="utf-8") as file:
            self._facts = file.read()

    def serve(self):
        """One load after another."""
        while True:
            connection, _ = SERVER.accept()
            with connection, connection.makefile("r", encoding="utf-8") as asked:
                line = asked.readline()
                if line:
                    self._load(json.loads(line), words.Caller(connection))

    def _load(self, plan, caller):
        try:
            if self._unfit is not None:
                raise self._unfit
            if self._pool is None:
                self._pool = Pool(user_config.load(), self._clients, self._nodes)
                self._pool.start(caller)
            done = one_load.one_load(self._pool, plan, self._boot, submit, self._packed, self._facts, caller)
            self._unfit = Unfit(done) if done else None
        except Unfit as unfit:
            self._unfit = unfit
            caller.tell("end", client=0, outcome="failed", trouble=str(unfit)[: words.LONGEST_TROUBLE])
        except Exception as error:  # noqa: BLE001 (whatever it is, the load that asked is told)
            traceback.print_exc()
            self._unfit = Unfit(words.trouble(error, self._pool.names if self._pool else ()))
            caller.tell("end", client=0, outcome="failed", trouble=str(self._unfit))
        caller.tell("over")

    def end(self):
        """Give the nodes back."""
        if self._pool is not None:
            self._pool.end()


def main(clients, nodes=0):
    """Hold them, and leave nothing behind."""

    def stop(number, _):
        for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(one, signal.SIG_IGN)
        raise Stopped(number)

    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, stop)
    holder = Holder(clients, nodes)
    try:
        holder.serve()
    except Stopped:
        holder.end()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
