"""What runs on a node, as a task of Parsl. This file's text is sent there. Standard library alone, Python >= 3.8 on Linux."""


def clients(packed, plan, key, first, count):
    """Run the clients `first`, `first` + 1, … of a plan (its JSON) here; returns exit code, answers, and last words.

    The plan has a `begin_at`, by the clock of this node.
    """
    import base64
    import io
    import os
    import subprocess
    import sys
    import tempfile
    import zipfile

    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(io.BytesIO(base64.b64decode(packed))) as archive:
            archive.extractall(folder)  # our own files
        done = subprocess.run(
            # -I: nothing from PYTHONPATH, where an empty entry is the current folder, or from the user's site-packages.
            [sys.executable, "-I", os.path.join(folder, "program.py"), str(first), str(count)],
            env=dict(os.environ, PERFDB_LOAD_PLAN=plan, PERFDB_HOST_KEY=key),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    return done.returncode, done.stdout, done.stderr[-2000:]


def share(packed, plan, key, first, count, begin_at):
    """The same as a node's share of a load, and who it was; `begin_at` by its clock, of the boots of nodes by pseudonym."""
    import json

    told = who(key)
    asked = dict(json.loads(plan), begin_at=begin_at.get(told["boot"]))
    if asked["begin_at"] is None:
        return dict(told, code=None, said="", words="a node whose clock was not compared")
    code, said, words = clients(packed, json.dumps(asked), key, first, count)
    return dict(told, code=code, said=said, words=_last_line(words))


def clock(key, facts_source):
    """When this began and ended by the clock here, epoch seconds; whose that is, and what kind of host."""
    import time

    begun = time.time()
    told = who(key)
    if facts_source:
        namespace = {}
        exec(facts_source, namespace)  # our own facts.py
        told["facts"] = namespace["facts"](key)
    return dict(told, begun=begun, ended=time.time())


def who(key):
    """The worker pool here by its name in Parsl; the node and its boot by pseudonyms."""
    import hashlib
    import hmac
    import os
    import socket

    def pseudonym(name):
        return hmac.new(key.encode(), name.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:12]

    host = socket.gethostname()
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            boot = file.read().strip()
    except OSError:
        boot = host
    return {
        "pool": os.environ.get("PARSL_WORKER_POOL_ID", ""),
        # Several nodes of a Slurm may be one host.
        "node": pseudonym(os.environ.get("SLURMD_NODENAME") or host),
        "boot": pseudonym(boot),
    }


def _last_line(words):
    """What it said last, without the names of who and where we are."""
    import getpass
    import os
    import socket

    line = ([""] + [line.strip() for line in words.splitlines() if line.strip()])[-1]
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = ""
    for name, stands in ((os.path.expanduser("~"), "~"), (socket.gethostname(), "<node>"), (user, "<user>")):
        line = line.replace(name, stands) if len(name) > 1 else line
    return line[:150]
