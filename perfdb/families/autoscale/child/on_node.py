"""What runs on a node. This file's text is sent there: nodes need no perfdb. Standard library alone, Python >= 3.8.

Every function gets `started`, the stamp that was taken when the task began, and returns what `answers.py` describes.
"""


def work(started, key, task_s, token_path, token):
    """One task of the workload: it takes `task_s` seconds, what it tells of its node included."""
    import time

    told = _who(key)
    told.update(_software(), sees_run_dir=_read(token_path).strip() == token)
    told.update(script=_script_started(), pool_at=_pool_started(), started=started)
    time.sleep(max(0.0, started[1] + task_s - time.monotonic_ns() / 1e9))
    told["ended"] = _stamp()
    return told


def clock(started, key):
    """The shortest task: whose clock says what."""
    told = _who(key)
    told.update(started=started, ended=_stamp())
    return told


def report(started, key, task_s, facts_source, token_path, token):
    """What may differ between this node and the submit host."""
    import time

    told = _who(key)
    namespace = {}
    exec(facts_source, namespace)  # our own facts.py
    told.update(_software(), facts=namespace["facts"](key), sees_run_dir=_read(token_path).strip() == token)
    time.sleep(max(0.0, started[1] + task_s - time.monotonic_ns() / 1e9))
    told.update(started=started, ended=_stamp())
    return told


def _who(key):
    import hashlib
    import hmac
    import os
    import socket

    def pseudonym(name):
        return hmac.new(key.encode(), name.encode(), hashlib.sha256).hexdigest()[:12]

    host = socket.gethostname()
    return {
        "block": os.environ.get("PARSL_WORKER_BLOCK_ID", ""),
        "pool": os.environ.get("PARSL_WORKER_POOL_ID", ""),
        # Several nodes of a Slurm may be one host.
        "node": pseudonym(os.environ.get("SLURMD_NODENAME") or host),
        "host": pseudonym(host),
        "boot": pseudonym(_read("/proc/sys/kernel/random/boot_id").strip() or host),
    }


def _software():
    import platform

    try:
        import parsl.version

        release = str(parsl.version.VERSION)
    except Exception:  # noqa: BLE001 (whatever is wrong there, that there is no version says it)
        release = ""
    return {"python": platform.python_implementation() + " " + platform.python_version(), "parsl": release}


def _stamp():
    import time

    return [time.time_ns() / 1e9, time.monotonic_ns() / 1e9]


def _script_started():
    """As the job script exported it, epoch seconds; None where that did not get here."""
    import os

    try:
        return float(os.environ["PERFDB_SCRIPT_STARTED"].replace(",", "."))  # some locales write a comma
    except (KeyError, ValueError):
        return None


def _pool_started():
    """When the kernel created the worker pool's process, epoch seconds, resolution a clock tick (10 ms); None if unknown.

    /proc counts a process's start in ticks of CLOCK_BOOTTIME.
    """
    import os
    import time

    pid, found = os.getpid(), None
    try:
        while pid > 1:
            words = _read(f"/proc/{pid}/cmdline").split("\0")
            if any("process_worker_pool" in word for word in words[:4]):
                found = pid
            elif found is not None:
                break
            pid = int(_read(f"/proc/{pid}/stat").rpartition(")")[2].split()[1])
        ticks = int(_read(f"/proc/{found}/stat").rpartition(")")[2].split()[19])
        ago = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
        return time.time() - ago
    except (AttributeError, IndexError, OSError, TypeError, ValueError):
        return None


def _read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
