"""Configs that cannot be described: one paragraph that says what and where, and what to do; no traceback, no leak."""

import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from perfdb.errors import ConfigError, ParslInstallError
from perfdb.parsl_config import answer, describe, loading
from perfdb.redaction import Identity

WORKS = "from parsl.config import Config\nconfig = Config()\n"

BAD = [
    ("x = 1\n)(\n", ["local_fake.py, line 2 is not valid Python (unmatched ')'): )(", "Correct that line"]),
    ("x = 1\nsecret = 'FAKE-a' + (\n", ["line 2 is not valid Python", "'(' was never closed"]),
    ("def f():\n    raise ValueError('no FAKE-b')\nTOKEN = 'FAKE-b'\nf()\n",
     ["line 2 fails while it is loaded (ValueError: no <redacted>)"]),
    ("from subprocess import TimeoutExpired\nraise TimeoutExpired('sacct -X', 10)\n",
     ["line 2 fails while it is loaded", "'sacct -X'", "`perfdb doctor slurm`", "and try again."]),
    ("config = int('FAKE')\nTOKEN = 'FAKE'\n", ["line 1 fails while it is loaded: config = int("]),
    ("x = 1\nimport sys\nsys.exit('done')\n", ["line 3 ends the program", "SystemExit: done"]),
    ("raise KeyboardInterrupt\n", ["line 1 fails", "KeyboardInterrupt"]),
    ("x = 1\n", ["sets neither `config` nor `fresh_config`", "config = parsl.config.Config(executors=[...])"]),
    ("config = {}\n", ["is a dict, not a parsl.config.Config"]),
    ("fresh_config = lambda: None\n", ["is a NoneType, not a parsl.config.Config"]),
    ("fresh_config = lambda: 1 / 0\n", ["line 1 fails", "ZeroDivisionError"]),
    ("from parsl.config import Config\nfrom parsl.executors import ThreadPoolExecutor as T\n"
     "config = Config(executors=[T(label='x'), T(label='x')])\n",
     ["two executors in", "label='x'", "Give each a label of its own"]),
    ("import nosuchpackage.part\n", ["line 1 needs a package", "`nosuchpackage`", "pip install nosuchpackage"]),
    ("from parsl.executors import WorkQueueExecutor\n\nWorkQueueExecutor()\n",
     ["line 3 needs a package", "work_queue", "conda install -c conda-forge ndcctools"]),
    ("from parsl.providers import AWSProvider\nAWSProvider('image', 'key')\n",
     ["line 2 needs a package", "boto3", "pip install 'parsl[aws]'"]),
    ("import os\nos.kill(os.getpid(), 11)\n", ["ended its Python process with SIGSEGV"]),
    ("import os\nos.write(1, b'last\\x1b[31m words')\nos._exit(3)\n", ["with status 3", "last [31m words"]),
    ("import os\nos._exit(0)\n", ["was not understood", "status 0"]),
    ("from parsl.config import Config\nclass C(Config):\n    def __init__(self, many):\n        super().__init__()\n"
     "        self.many = many\nconfig = C(list(range(5000)))\n", ["more than 2000 parameters"]),
    ("from parsl.config import Config\nconfig = Config(run_dir='x' * 5_000_000)\n", ["passes 4 MB"]),
    ("raise type('\\x1b[31mE', (Exception,), {'__str__': lambda self: 1 / 0})\n", ["line 1 fails", "[31mE"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), BAD)
def test_a_bad_config_gets_one_clear_paragraph(described, text, expected):
    with pytest.raises(ConfigError) as caught:
        described(text)
    message = str(caught.value)
    for part in expected:
        assert part in message
    assert message.isprintable()
    assert "FAKE" not in message
    assert "Traceback" not in message
    assert message.endswith((".", "words", "NoneType"))


def refused(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        describe(path, python=Path(sys.executable), timeout_s=5, identity=Identity())
    return str(caught.value)


def test_a_file_that_can_not_be_a_config_is_refused_before_any_child_starts(tmp_path, monkeypatch):
    monkeypatch.setattr("perfdb.parsl_config.describing.load", None)
    assert "there is no config" in refused(tmp_path / "none.py")
    assert "there is no config" in refused(tmp_path / "none.py" / "below.py")
    assert "can't be read" in refused(Path("nul\0.py"))
    (tmp_path / "folder.py").mkdir()
    assert "is a folder" in refused(tmp_path / "folder.py")
    (tmp_path / "config.txt").write_text(WORKS)
    assert "does not end in .py" in refused(tmp_path / "config.txt")
    os.mkfifo(tmp_path / "pipe.py")
    assert "not a regular file" in refused(tmp_path / "pipe.py")
    (tmp_path / "latin.py").write_bytes(b"# caf\xe9\n")
    assert "not UTF-8 text (byte 5)" in refused(tmp_path / "latin.py")
    (tmp_path / "large.py").write_text("#" * 2_000_000)
    assert "larger than 1 MB" in refused(tmp_path / "large.py")


def test_an_endless_loop_ends_in_time_and_takes_its_children_along(described, tmp_path):
    pid_file = tmp_path / "pid"
    with pytest.raises(ConfigError, match=r"not loaded within 5 s.*--timeout"):
        described(f"""
            import pathlib, subprocess
            child = subprocess.Popen(["sleep", "600"])
            pathlib.Path({str(pid_file)!r}).write_text(str(child.pid))
            while True:
                pass
        """, timeout_s=5)  # fmt: skip
    assert_ends(int(pid_file.read_text()))


def test_what_a_good_config_left_running_ends_too(described, tmp_path):
    pid_file = tmp_path / "pid"
    described(f"""
        import pathlib, subprocess, threading, time
        from parsl.config import Config
        child = subprocess.Popen(["sleep", "600"])
        pathlib.Path({str(pid_file)!r}).write_text(str(child.pid))
        threading.Thread(target=time.sleep, args=(600,)).start()
        config = Config()
    """)
    assert_ends(int(pid_file.read_text()))


def assert_ends(pid: int) -> None:
    """SIGKILL was sent; whoever adopted the process may take a moment to reap it."""
    for _ in range(100):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return
        time.sleep(0.05)
    pytest.fail("it still runs")


def test_an_interrupt_in_the_parent_ends_the_child(tmp_path, monkeypatch):
    path = tmp_path / "local_loop.py"
    path.write_text("while True:\n    pass\n")
    started = []

    def interrupted(process, *_):
        started.append(process)
        raise KeyboardInterrupt

    monkeypatch.setattr(loading, "_listen", interrupted)
    with pytest.raises(KeyboardInterrupt):
        describe(path, python=Path(sys.executable), timeout_s=60, identity=Identity())
    assert started[0].returncode == -9


def test_a_python_without_parsl_is_told_apart(tmp_path):
    path = tmp_path / "local_fake.py"
    path.write_text(WORKS)
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')
    bare.chmod(0o755)
    with pytest.raises(ConfigError, match=r"Parsl is not installed for .*python, .* -m pip install parsl"):
        describe(path, python=bare, timeout_s=60, identity=Identity())


def test_a_python_that_is_none_is_told_apart(tmp_path):
    path = tmp_path / "local_fake.py"
    path.write_text(WORKS)
    with pytest.raises(ParslInstallError, match="no program that can be run"):
        describe(path, python=tmp_path / "nopython", timeout_s=5, identity=Identity())


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"3", b'{"error": "other"}', b'{"params": []}', b'{"error": "exit", "line": "x"}',
     b'{"error": "exit", "message": "\\ud800"}', b'{"error": "exit", "line": 1e999}', b"[" * 100_000,
     b'{"error": "exit", "line": 99999999999999999999}', b"\xff"],
)  # fmt: skip
def test_an_answer_that_is_not_ours_is_not_understood(data):
    assert answer.parse(data) is None


def test_the_home_in_the_path_of_a_config_is_masked(tmp_path):
    with pytest.raises(ConfigError) as caught:
        describe(
            tmp_path / "none.py", python=Path(sys.executable), timeout_s=5, identity=Identity(homes=(str(tmp_path),))
        )
    assert "there is no config <home>/none.py." in str(caught.value)
