"""A machine has a label and a fingerprint, and neither gives its name away."""

from __future__ import annotations

import socket

import pytest

from perfdb.capture.machine import (
    host_from,
    host_key,
    load_now,
    machine_document,
    machine_fingerprint,
    machine_label,
    submit_host,
)
from perfdb.errors import UsageError
from perfdb.processes.identity import machine_id
from perfdb.record import Host, is_label

HOST = Host(cpu_model="A CPU", cpu_count=8, memory_bytes=1 << 30, kernel="6.1", python="CPython 3.11.7")


def test_a_label_that_was_chosen_is_taken_as_it_is():
    assert machine_label("hopper", "key") == "hopper"


@pytest.mark.parametrize("chosen", ["", "0", "a/b", "../a", "a b", ".a", "_a", "a.", "a\n", "x" * 65])
def test_a_label_that_cannot_name_a_folder_is_refused(chosen):
    with pytest.raises(UsageError, match=r"cannot name a folder: .+first a letter or digit.+--machine LABEL\.$"):
        machine_label(chosen, "key")


def test_without_a_choice_the_label_is_a_stable_pseudonym():
    label = machine_label(None, "key")
    assert label == machine_label(None, "key")
    assert label != machine_label(None, "another key")
    assert is_label(label)
    assert socket.gethostname() not in label


def test_each_registry_has_its_own_key_and_none_shows_the_machines_id():
    assert host_key("one") == host_key("one")
    assert host_key("one") != host_key("two")
    assert not machine_id() or machine_id() not in host_key("one")


def test_a_machine_is_what_lasts():
    same = HOST.model_copy(
        update={"python": "CPython 3.12.0", "cpu_usable": 2, "pseudonym": "abc", "packages": {"a": "1"}}
    )
    assert machine_fingerprint(same) == machine_fingerprint(HOST)
    assert machine_document(HOST) == {"cpu_model": "A CPU", "cpu_count": 8, "memory_bytes": 1 << 30, "kernel": "6.1"}


@pytest.mark.parametrize(
    "change", [{"kernel": "6.2"}, {"memory_bytes": 2 << 30}, {"cpu_count": 16}, {"cpu_model": "B"}]
)
def test_a_machine_that_changed_has_another_fingerprint(change):
    assert machine_fingerprint(HOST.model_copy(update=change)) != machine_fingerprint(HOST)


def test_this_host_can_be_described():
    host = submit_host("key", {"parsl": "2026.10.26"}, "CPython 3.12.1")
    assert host.packages == {"parsl": "2026.10.26"}
    assert host == host_from(host.model_dump(exclude={"packages"}), {"parsl": "2026.10.26"})


def test_the_load_is_three_amounts():
    load = load_now()
    assert min(load.one, load.five, load.fifteen) >= 0
