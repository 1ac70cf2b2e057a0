"""A number is no process: a process is a number, a start, a boot and a host."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.processes.identity import ProcessIdentity


def test_this_process_is_alive_and_here():
    mine = ProcessIdentity.mine()
    assert mine.pid == os.getpid()
    assert mine.is_here
    assert mine.alive()


def test_a_process_that_ended_is_not_alive():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        identity = ProcessIdentity.of(process.pid)
        assert identity.alive()
    assert not identity.alive()
    assert ProcessIdentity.of(process.pid) is None


@pytest.mark.parametrize("change", [{"started": 1.0}, {"boot": "another"}, {"host": "f" * 16}])
def test_another_process_with_the_same_number_is_not_it(change):
    assert not replace(ProcessIdentity.mine(), **change).alive()


def test_an_identity_reads_back():
    mine = ProcessIdentity.mine()
    assert ProcessIdentity.from_json(mine.to_json()) == mine


def test_an_identity_names_no_host():
    assert socket.gethostname() not in ProcessIdentity.mine().to_json()


def test_an_identity_cut_off_anywhere_is_none():
    text = ProcessIdentity.mine().to_json()
    assert [ProcessIdentity.from_json(text[:cut]) for cut in range(len(text))] == [None] * len(text)


@given(st.text() | st.sampled_from(["null", "[]", '{"host": 1, "boot": 2, "pid": "x", "started": 3}']))
def test_what_is_no_identity_reads_as_none(text):
    assert ProcessIdentity.from_json(text) is None
