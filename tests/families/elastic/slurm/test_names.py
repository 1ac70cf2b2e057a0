"""Whose jobs are whose, by their names."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.families.elastic.slurm.arms import CHILD, child_module

names = child_module("names")


@pytest.mark.parametrize("of", [lambda name: name, names.of_helpers])
def test_jobs_of_a_run_that_goes_on_are_no_orphans(of) -> None:
    assert not names.is_orphan(of(names.of_this_process()))


@pytest.mark.parametrize("of", [lambda name: name, names.of_helpers])
def test_jobs_of_a_run_that_is_gone_are_orphans(of) -> None:
    code = f"import sys; sys.path.insert(0, {str(CHILD)!r}); import names; print(names.of_this_process())"
    gone = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert names.is_orphan(of(gone))


def test_jobs_of_an_earlier_boot_are_orphans() -> None:
    prefix, boot, pid, ticks = names.of_this_process().rsplit("-", 3)
    other = ("0" if boot[0] != "0" else "1") + boot[1:]
    assert names.is_orphan("-".join((prefix, other, pid, ticks)))


def test_jobs_of_another_host_are_left_alone() -> None:
    assert not names.is_orphan("perfdb-elastic-elsewhere-01234567-1-1")


@pytest.mark.parametrize(
    "name", ["wrap", "perfdb-elastic", "perfdb-elastic-a-b-c-d", "", "my-perfdb-elastic-x-01234567-1-1"]
)
def test_others_jobs_are_left_alone(name: str) -> None:
    assert not names.is_orphan(name)
