"""What a host tells of itself: anywhere, and never who it is."""

from __future__ import annotations

import getpass
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from perfdb.capture import facts as module
from perfdb.capture.facts import facts
from perfdb.record import Host

SOURCE = Path(module.__file__).read_text()


@pytest.fixture(scope="module")
def told():
    """As on a worker: the file's text, run by a Python that has nothing but its standard library."""
    program = f"import json, sys\nexec(sys.stdin.read())\nprint(json.dumps(facts({'a-key'!r})))"
    done = subprocess.run(
        [sys.executable, "-S", "-E", "-I", "-c", program],
        input=SOURCE,
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
    )
    return json.loads(done.stdout)


def test_a_bare_python_tells_what_this_one_tells(told):
    assert told == facts("a-key")


def test_the_facts_are_those_of_a_host(told):
    host = Host.model_validate(told)
    assert host.cpu_count == os.cpu_count()
    assert host.cpu_usable == len(os.sched_getaffinity(0))
    assert host.memory_bytes == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert host.kernel == os.uname().release
    assert host.python == f"CPython {sys.version.split()[0]}"


def test_nobody_and_no_host_is_named(told):
    text = json.dumps(told).lower()
    names = {socket.gethostname(), socket.getfqdn(), str(Path.home())}
    if getpass.getuser() != "root":
        names.add(getpass.getuser())
    for name in names - {"localhost", "/"}:
        assert name.lower() not in text
    addresses = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None)}
    assert not any(address in text for address in addresses)


def test_what_cannot_be_read_is_left_out_rather_than_null(told):
    assert None not in told.values()


def test_a_pseudonym_is_stable_for_one_key_and_another_for_another():
    assert facts("a")["pseudonym"] == facts("a")["pseudonym"]
    assert facts("a")["pseudonym"] != facts("b")["pseudonym"]
    assert len(facts("a")["pseudonym"]) == 12


def test_without_a_key_there_is_no_pseudonym():
    assert "pseudonym" not in facts()
