"""What a server's processes use."""

from __future__ import annotations

import os
import subprocess
import sys

import psutil
import pytest

from perfdb.services.asking import get_json
from perfdb.services.usage import usage
from tests.services.serving import benchmark_server, lean_server, post


def test_one_process_is_told_as_the_system_tells_it():
    told, us = usage(), psutil.Process()
    assert told.processes == 1
    assert told.threads == us.num_threads()
    assert told.memory_bytes == pytest.approx(us.memory_info().rss, rel=0.1)
    assert told.cpu_s == pytest.approx(sum(us.cpu_times()[:2]), abs=0.5)


def test_all_that_is_below_a_process_counts_and_what_has_ended_does_not():
    program = [sys.executable, "-c", "print(1, flush=True); import sys; sys.stdin.read()"]
    before = usage(os.getpid())
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        during = usage(os.getpid())
        process.kill()
    after = usage(os.getpid())
    assert (during.processes, after.processes) == (before.processes + 1, before.processes)
    assert during.memory_bytes > before.memory_bytes + 3_000_000


def test_a_lean_server_tells_of_all_its_workers():
    with lean_server(workers=2) as address:
        told = [get_json(address, "/stats") for _ in range(20)][-1]
        assert (told["processes"], told["threads"] >= 2) == (2, True)
        assert told["memory_bytes"] > 20_000_000
        post(address, "/stats/reset", {})
        assert get_json(address, "/stats")["processes"] == 2  # what is there stays there


def test_the_benchmark_server_tells_of_all_its_processes():
    with benchmark_server(workers=2) as address:
        told = get_json(address, "/stats")
        assert set(told) == {"cpu_s", "memory_bytes", "threads", "processes"}
        assert told["processes"] >= 3  # uvicorn, and its workers
        assert told["memory_bytes"] > 100_000_000
        assert told["cpu_s"] > 0
