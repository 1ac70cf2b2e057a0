"""The client nodes: a Parsl config's, one worker each, asked for once and kept until the end."""

import math
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor, TimeoutError  # before Python 3.11 not the builtin one

import parsl
import words
from parsl.executors import HighThroughputExecutor

LOOK_S = 0.1
ANSWER_S = 30.0
TOLD_EVERY_S = 30.0
CLEANUP_S = 8.0  # the supervisor waits 10


class Unfit(Exception):
    """These nodes cannot do it; the message is for the user."""


class Pool:
    """Nodes that are there, or will be.

    Args:
        config: The loaded Config; it is changed so that all its blocks are asked for at once and none is given back.
        clients: How many clients there will be: of more nodes some would have none.
        nodes: How many nodes; None: as many as the config's blocks have, at most one a client.
    """

    def __init__(self, config, clients, nodes):
        executors = list(config.executors)
        fit = len(executors) == 1 and isinstance(executors[0], HighThroughputExecutor)
        if not fit or getattr(executors[0], "enable_mpi_mode", False):
            raise Unfit("clients on nodes need a config with one executor, a HighThroughputExecutor without MPI")
        self._config, self._executor = config, executors[0]
        provider = self._executor.provider
        # Worker pools that a block starts: one a node, but where the launcher starts just one.
        simple = type(getattr(provider, "launcher", None)).__name__ == "SimpleLauncher"
        self._each = 1 if simple else int(getattr(provider, "nodes_per_block", None) or 1)
        self.nodes = nodes or min(clients, self._each * max(1, int(provider.max_blocks)))
        blocks = math.ceil(self.nodes / self._each)
        provider.init_blocks = provider.min_blocks = provider.max_blocks = blocks
        # With several nodes a block there may be some that have nothing to do, and it is not known which.
        self.pools = blocks * self._each
        # One task at a time on each node, none waiting behind it, and none done twice.
        self._executor.max_workers_per_node, self._executor.prefetch_capacity = 1, 0
        config.strategy, config.retries = "none", 0
        self.names = set()
        self._asker = ThreadPoolExecutor(1)  # without an interchange it would wait for ever
        self._dfk = None

    def start(self, caller):
        """Ask for the nodes and wait until all are there, however long the queue is.

        Raises:
            Unfit: they will not come.
        """
        self._dfk = parsl.load(self._config)
        tell_at = time.monotonic()
        while (there := len(self._managers())) < self.pools and not caller.gone:
            if time.monotonic() >= tell_at:
                tell_at += TOLD_EVERY_S
                caller.tell("note", text=f"{there} of {self.pools} client nodes are there (--client-nodes: how many)")
            if self._executor.bad_state_is_set:
                raise Unfit(words.trouble(self._executor.executor_exception, self.names))
            if over := self._blocks_over():
                said = words.plain(f"{over[0].message or ''} {over[0].stderr_summary or ''}", self.names)
                raise Unfit(f"a block of the client nodes ended too early: {said or 'see submit_scripts'}")
            time.sleep(LOOK_S)
        caller.tell("note", text=f"all {self.pools} client nodes are there")

    @property
    def lost(self):
        """How many are missing of those that were there."""
        return max(0, self.pools - len(self._managers()))

    @property
    def ended(self):
        """How many nodes were of blocks whose job is over."""
        return self._each * len(self._blocks_over())

    def end(self):
        """Give the nodes back; it may not hang, as it would without an interchange."""
        if self._dfk is None:
            return
        thread = threading.Thread(target=self._clean_up, daemon=True)
        thread.start()
        thread.join(CLEANUP_S)

    def _clean_up(self):
        try:
            self._dfk.cleanup()
        except Exception:  # noqa: BLE001 (whoever started us ends what is left)
            traceback.print_exc()

    def _blocks_over(self):
        return [status for status in dict(self._executor.status_facade).values() if status.terminal]

    def _managers(self):
        try:
            there = self._asker.submit(self._executor.connected_managers).result(ANSWER_S)
        except TimeoutError:
            raise Unfit(f"Parsl's interchange has not answered for {ANSWER_S:g} s") from None
        found = [manager for manager in there if manager.get("active", True)]
        self.names.update(str(manager.get("hostname", "")) for manager in found)
        return found
