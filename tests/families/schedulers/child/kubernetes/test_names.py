"""Whose objects are whose, and which nobody will come back for."""

from __future__ import annotations

import socket
import subprocess
import sys

from perfdb.families.schedulers.child.kubernetes import names


def test_a_run_whose_process_lives_is_no_orphan() -> None:
    assert not names.is_orphan(names.of_this_process())


def test_a_run_whose_process_is_gone_is_an_orphan() -> None:
    code = "from perfdb.families.schedulers.child.kubernetes import names; print(names.of_this_process())"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert names.is_orphan(said)


def test_a_run_of_another_host_is_left_to_that_host() -> None:
    _, *rest = names.of_this_process().split("-")
    assert not names.is_orphan("-".join(["0" * 12, "00000000", *rest[1:]]))
    assert not names.is_orphan("")
    assert not names.is_orphan("a-b-c-d")


def test_a_cluster_does_not_learn_the_host_s_name() -> None:
    assert socket.gethostname() not in names.of_this_process()


def test_names_fit_a_label_and_begin_with_the_run() -> None:
    run = names.new_run()
    assert names.is_run(run)
    assert names.job_name(run, 10_000, 1_000_000).startswith(names.prefix(run))
    assert len(names.job_name(run, 10_000, 1_000_000)) <= 63
