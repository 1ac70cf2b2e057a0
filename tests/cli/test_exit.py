"""How a command ends when nobody reads what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tracking.records import save

COMMAND = "import sys; from perfdb.cli import main; sys.argv = ['perfdb', *sys.argv[1:]]; main()"


def ended(root, stdout, *arguments):
    environment = {**os.environ, "PERFDB_ROOT": str(root), "PYTHONUNBUFFERED": ""}
    command = [sys.executable, "-c", COMMAND, *arguments]
    return subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, env=environment, text=True, check=False)


@pytest.mark.parametrize("records", [1, 40])
def test_a_reader_that_has_seen_enough_is_no_error(tmp_path, records):
    """Few lines are written when the command ends, many while it runs."""
    for _ in range(records):
        save(tmp_path)
    reader, writer = os.pipe()
    os.close(reader)
    done = ended(tmp_path, writer, "list", "--json")
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_reader_that_has_left_does_not_hide_an_error(tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    done = ended(tmp_path, writer, "show", "ffff")
    os.close(writer)
    assert done.returncode == 1
    assert "no record here" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_an_output_that_can_not_be_written_is_an_error_in_one_line(tmp_path):
    with Path("/dev/full").open("w") as full:
        done = ended(tmp_path, full, "sync", "--no-mlflow")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "cannot be written" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_so_is_one_that_is_longer_than_a_buffer(tmp_path):
    with Path("/dev/full").open("w") as full:
        done = ended(tmp_path, full, "run", "scaling", "--help")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "No space left" in done.stderr


INTERRUPTED_EARLY = """
import sys
from perfdb.cli import main
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "perfdb.cli.app":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Finder())
main()
"""


def test_ctrl_c_before_the_command_is_read_is_no_traceback():
    done = subprocess.run([sys.executable, "-c", INTERRUPTED_EARLY], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (130, "", 1)


INTERRUPTED = """
import typer
from perfdb.cli import _exit_with
app = typer.Typer(pretty_exceptions_enable=False)
@app.command()
def work() -> None:
    raise KeyboardInterrupt
_exit_with(app)
"""


def test_ctrl_c_says_what_became_of_the_work():
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (130, "", 1)
    assert "interrupted. What was written is whole" in done.stderr


DELIVERING = """
import sys
import typer
from rich.console import Console
from perfdb.cli import _exit_with
from perfdb.cli.terminal import delivering, print_json
app = typer.Typer(pretty_exceptions_enable=False)
@app.command()
def work(as_json: bool = False) -> None:
    with delivering("77b0", as_json=as_json):
        print_json({}) if as_json else Console().print("words")
    sys.exit(4)
_exit_with(app)
"""


def delivered(to, *options):
    command = [sys.executable, "-c", DELIVERING, *options]
    shell = ["sh", "-c", f'"$@" {to}', "sh"]
    done = subprocess.run([*shell, *command], capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("to", "options"), [(">/dev/full", ["--as-json"]), (">&-", ["--as-json"]), (">/dev/full", []), ("", [])]
)
def test_a_record_that_could_not_be_printed_is_named(to, options):
    code, said = delivered(to, *options)
    assert code == (1 if to else 4)
    assert ("the record is kept as 77b0; it could not be printed" in said) == bool(to)
    assert said.count("\n") == bool(to)


@pytest.mark.parametrize(("options", "code"), [(["--as-json"], 1), ([], 4)])
def test_a_run_keeps_its_status_when_the_terminal_closes_but_owes_its_document(options, code):
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-c", DELIVERING, *options]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert done.returncode == code
    assert bool(done.stderr) == (code == 1)
