"""Parsl's scaling, watched from within: what it asks for, what the provider makes of it, and the end of all of it."""

import glob
import os
import re
import shlex
import signal
import threading
import time
import traceback

import parsl
import telling
from interchange_log import InterchangeLog
from parsl.executors import HighThroughputExecutor

CLEANUP_S = 8.0  # the supervisor waits 10
LAST_WORDS = 2000

# The first line of a job script. What it writes speaks for blocks whose workers never come up.
_FIRST = 'export PERFDB_SCRIPT_STARTED=${{EPOCHREALTIME:-$(date +%s.%N)}}\n{{ echo "$PERFDB_SCRIPT_STARTED" >{file}; }} 2>/dev/null || :\n'
# After the user's worker_init: the Python that the pool's program will run under, and its Parsl.
_LAST = """
(pool=$(command -v process_worker_pool.py) && line=$(head -n 1 "$pool") && tell={code} &&
{{ ${{line#\\#!}} -c "$tell" || "$(dirname "$pool")/python" -c "$tell"; }} >>{file}) 2>/dev/null || :
"""
_CODE = """
import platform
try:
    from importlib.metadata import version
    parsl = version("parsl")
except Exception:
    parsl = ""
print(platform.python_implementation() + " " + platform.python_version() + "\\n" + parsl)
"""


class Refused(Exception):
    """This config cannot be scaled; the message is for the user."""


class Scaling:
    """A loaded config whose only executor is watched. As a context it leaves no job behind, whatever happened."""

    def __init__(self, config, asks_python=False):
        executors = list(config.executors)
        if len(executors) != 1 or not isinstance(executors[0], HighThroughputExecutor) or not executors[0].provider:
            raise Refused(
                "autoscale needs a config with exactly one executor, a HighThroughputExecutor with a provider"
            )
        self.config, self.executor, self.provider = config, executors[0], executors[0].provider
        self.run_dir = config.run_dir
        self.interchange = InterchangeLog(config.run_dir, self.executor.label)
        self.jobs = {}  # block: job
        self.gone = set()  # names of the jobs that were cancelled
        self.polled = threading.Event()
        self.polled_at = 0.0
        self._asks_python = asks_python
        self._closing = False
        self._lock = threading.RLock()
        self._folder = os.path.join(os.path.abspath(self.run_dir), "scripts")
        os.makedirs(self._folder, exist_ok=True)

    def __enter__(self):
        self._watch_provider()
        self.dfk = parsl.load(self.config)
        poller = self.dfk.job_status_poller
        poll = poller.callback

        def polling(*arguments):
            self.polled_at = time.monotonic_ns() / 1e9
            try:
                return poll(*arguments)
            finally:
                self.polled.set()

        poller.callback = polling
        self.period_s = float(poller.interval)
        return self

    def __exit__(self, *_):
        """Cancel what is left, then have Parsl clean up; neither may hang, as it would without an interchange."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        self._closing = True
        _within(CLEANUP_S / 2, self._cancel_left)
        _within(CLEANUP_S / 2, self.dfk.cleanup)

    @property
    def managers_per_block(self):
        """Worker pools that a block starts: one a node, but where the launcher starts just one."""
        simple = type(getattr(self.provider, "launcher", None)).__name__ == "SimpleLauncher"
        return 1 if simple else int(getattr(self.provider, "nodes_per_block", None) or 1)

    @property
    def workers_per_block(self):
        """As Parsl's strategy counts them."""
        return float(self.executor.workers_per_node) * int(getattr(self.provider, "nodes_per_block", None) or 1)

    @property
    def resources(self):
        """What a task must say it needs: something, where the executor runs MPI programs."""
        return {"num_nodes": 1, "ranks_per_node": 1} if getattr(self.executor, "enable_mpi_mode", False) else {}

    @property
    def active(self):
        """Blocks that were submitted and are not known to be over."""
        over = {block for block, status in self._statuses().items() if status.terminal}
        return [block for block, job in list(self.jobs.items()) if str(job) not in self.gone and block not in over]

    @property
    def bad_state(self):
        """Why Parsl gave the executor up, or can get no node any more; None as long as neither is so."""
        conf = os.environ.get("SLURM_CONF")
        if conf and not os.path.exists(conf):  # each of Slurm's commands would wait a minute for it
            return "the Slurm that SLURM_CONF names is gone"
        return telling.trouble(self.executor.executor_exception) if self.executor.bad_state_is_set else None

    def tell_scripts(self):
        """What the job scripts wrote into the run folder."""
        for block, job in list(self.jobs.items()):
            try:
                with open(self._script_file(block), encoding="utf-8", errors="replace") as file:
                    lines = [*file.read(1000).split("\n"), "", ""]
                started = float(lines[0].replace(",", "."))
            except (OSError, ValueError):
                continue
            telling.answer("script", job=str(job), started=started, python=lines[1][:100], parsl=lines[2][:100])

    def tell_last_words(self, registered):
        """What the jobs of blocks that never registered said last."""
        for block in list(self.jobs):
            if block in registered:
                continue
            pattern = os.path.join(glob.escape(self.run_dir), "*", "submit_scripts", f"*.block-{glob.escape(block)}.*")
            said = [
                _end_of(path)
                for path in sorted(glob.glob(pattern))
                if path.endswith((".err", ".stderr", ".out", ".stdout"))
            ]
            text = telling.trouble("\n".join(said))
            if text:
                telling.answer("last_words", block=block, text=text)

    def _statuses(self):
        statuses = getattr(self.executor, "status_facade", None)
        if statuses is None:  # before 2024 the poller kept them
            items = getattr(self.dfk.job_status_poller, "_poll_items", [])
            statuses = items[0].status if items else {}
        return dict(statuses)

    def _script_file(self, block):
        return os.path.join(self._folder, "block-" + re.sub(r"[^\w-]", "_", block))

    def _watch_provider(self):
        name = "scale_out_facade" if hasattr(self.executor, "scale_out_facade") else "scale_out"
        scale_out, submit, cancel = getattr(self.executor, name), self.provider.submit, self.provider.cancel

        def scaling_out(*count, **named):
            blocks = [*count, *named.values(), 1][0]
            if blocks > 0:
                telling.answer("scale_out", count=blocks, at=telling.stamp())
            return scale_out(*count, **named)

        def submitting(command, tasks_per_node, job_name="parsl.block"):
            block = _block_of(command, job_name)
            with self._lock:
                if self._closing:
                    raise RuntimeError("the round is over")
                worker_init = getattr(self.provider, "worker_init", None)
                if isinstance(worker_init, str):
                    self.provider.worker_init = self._with_stamps(worker_init, block)
                called = telling.stamp()
                try:
                    job = submit(command, tasks_per_node, job_name)
                    returned = telling.stamp()
                    if job:
                        self.jobs[block] = job
                except Exception as error:
                    telling.answer(
                        "block",
                        block=block,
                        job=None,
                        called=called,
                        returned=telling.stamp(),
                        trouble=telling.trouble(error),
                    )
                    raise
                finally:
                    if isinstance(worker_init, str):
                        self.provider.worker_init = worker_init
            telling.answer(
                "block",
                block=block,
                job=str(job) if job else None,
                called=called,
                returned=returned,
                trouble=None if job else "the provider gave no job id",
            )
            return job

        def cancelling(jobs):
            left = [job for job in jobs if str(job) not in self.gone]
            if not left:
                return [True for _ in jobs]
            called = telling.stamp()
            done = dict(zip(left, cancel(left)))  # noqa: B905 (Python 3.8 has no strict)
            returned = telling.stamp()
            ended = [str(job) for job in left if done.get(job)]
            self.gone.update(ended)
            if ended:
                telling.answer("cancelled", jobs=ended, called=called, returned=returned)
            return [done.get(job, True) for job in jobs]

        setattr(self.executor, name, scaling_out)
        self.provider.submit, self.provider.cancel = submitting, cancelling

    def _with_stamps(self, worker_init, block):
        file = shlex.quote(self._script_file(block))
        last = _LAST.format(file=file, code=shlex.quote(_CODE)) if self._asks_python else ""
        return _FIRST.format(file=file) + worker_init + last

    def _cancel_left(self):
        with self._lock:  # a block that is being submitted right now
            left = [self.jobs[block] for block in self.active]
        if left:
            self.provider.cancel(left)


def _within(seconds, what):
    """Run it in a thread of its own, and wait for it no longer than that."""

    def attempt():
        try:
            what()
        except Exception:  # noqa: BLE001 (the next step of the clean-up must come whatever this one met)
            traceback.print_exc()

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(seconds)


def _block_of(command, job_name):
    match = re.search(r"\.block-([\w-]+)", job_name) or re.search(r"--block_id[= ]([\w-]+)", command)
    return match[1] if match else job_name[:100]


def _end_of(path):
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.path.getsize(path) - LAST_WORDS))
            return file.read(LAST_WORDS).decode("utf-8", "replace")
    except OSError:
        return ""
