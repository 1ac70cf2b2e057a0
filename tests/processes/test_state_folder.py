"""What is under way on a machine stays there."""

from __future__ import annotations

import subprocess

import pytest

from perfdb.processes.state_folder import make_state_folder


def untracked(checkout):
    listed = subprocess.run(
        ["git", "-C", checkout, "status", "--porcelain", "--untracked-files=all"], capture_output=True, check=True
    )
    return listed.stdout.decode().split()


def test_git_does_not_see_the_state_folder_of_a_checkout(tmp_path):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    for _ in range(2):
        make_state_folder(tmp_path / ".perfdb")
        (tmp_path / ".perfdb" / "mlflow.db").write_bytes(b"numbers")
    (tmp_path / "seen").touch()
    assert untracked(tmp_path) == ["??", "seen"]


def test_a_folder_that_somebody_chose_is_left_as_it_is(tmp_path):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    make_state_folder(tmp_path)
    (tmp_path / "seen").touch()
    assert untracked(tmp_path) == ["??", "seen"]


def test_a_file_in_its_place_is_an_error(tmp_path):
    (tmp_path / ".perfdb").touch()
    with pytest.raises(OSError):
        make_state_folder(tmp_path / ".perfdb")
