"""`perfdb schedulers workload` shows the list that every arm would get."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
import typer
from pydantic import ValidationError
from typer.testing import CliRunner

from perfdb.cli.schedulers import app
from perfdb.cli.schedulers.workload import workload
from perfdb.errors import PerfdbError, UsageError
from perfdb.families.schedulers.spec import SchedulersSpec
from perfdb.families.schedulers.workload.job import HIGHEST_LOAD, HIGHEST_SEED, LOWEST_LOAD
from perfdb.families.schedulers.workload.load import loaded
from perfdb.families.schedulers.workload.swf import read_swf
from perfdb.families.schedulers.workload.toml_spec import Block, BlocksFile, BuiltinFile


def typed(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["workload", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_table_has_every_job_the_load_and_the_digest():
    found = loaded("clog", nodes=4, seed=1, load=0.7, jobs=0, compress=1.0)
    lines = typed("clog").splitlines()
    assert lines[0].split() == ["job", "arrives", "nodes", "runs", "limit", "user", "experiment"]
    assert [line.split()[0] for line in lines[1 : len(found.jobs) + 1]] == [str(job.job) for job in found.jobs]
    assert "7 jobs, 81 node-seconds for 4 nodes; offered load 10.1" in lines and f"list {found.sha256}" in lines


def test_a_long_list_is_cut_and_says_so():
    lines = typed("mixed", "--jobs", "1000").splitlines()
    assert len(lines) < 60 and any("and 960 jobs more" in line for line in lines)


def test_the_document_has_all_jobs_and_the_digest():
    told = json.loads(typed("mixed", "--nodes", "8", "--seed", "5", "--load", "1.1", "--jobs", "60", "--json"))
    found = loaded("mixed", nodes=8, seed=5, load=1.1, jobs=60, compress=1.0)
    assert told["sha256"] == found.sha256 and told["offered_load"] == pytest.approx(1.1, rel=1e-4)
    assert told["jobs"] == [job.model_dump() for job in found.jobs]


def test_the_list_is_written_as_swf_and_what_stood_there_is_replaced(tmp_path):
    path = tmp_path / "list.swf"
    path.write_text("old")
    typed("size-2", "--swf", str(path))
    trace = read_swf(path.read_text(), "list.swf")
    assert [job.known("requested_processors") for job in trace.jobs] == [2] * 8 and trace.header("MaxProcs") == "4"


def test_a_trace_says_what_was_left_out_and_for_how_many_nodes_it_is(tmp_path):
    path = tmp_path / "trace.swf"
    fits, large = "1 0 -1 5 2 -1 -1 2 60 -1 1 1 1 -1 1 -1 -1 -1", "2 0 -1 5 9 -1 -1 9 60 -1 1 1 1 -1 1 -1 -1 -1"
    path.write_text(f"; MaxProcs: 16\n{fits}\n{large}\n")
    told = typed(str(path))
    assert "left out: 1 job, more than the 4 nodes there are" in told and "--nodes 16" in told


def test_what_cannot_be_is_refused(tmp_path: Path):
    with pytest.raises(UsageError, match="Did you mean mixed"):
        typed("mixd")
    with pytest.raises(PerfdbError, match="cannot be written"):
        typed("clog", "--swf", str(tmp_path / "no" / "list.swf"))


def test_a_shell_completes_a_workload():
    command = typer.main.get_command(app).get_command(None, "workload")
    source = next(parameter for parameter in command.params if parameter.name == "source")
    assert [item.value for item in source.shell_complete(typer.Context(command), "cl")] == ["clog"]


def test_a_disk_that_is_full_leaves_the_list_that_was_there(tmp_path, monkeypatch):
    path = tmp_path / "list.swf"
    path.write_text("old")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PerfdbError, match="cannot be written: No space left"):
        typed("clog", "--swf", str(path))
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_a_trace_is_not_replaced_by_the_list_that_is_made_of_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    typed("size-2", "--swf", "trace.swf")
    before = (tmp_path / "trace.swf").read_bytes()
    Path("link.swf").symlink_to("trace.swf")
    for name in ("trace.swf", "link.swf"):
        with pytest.raises(UsageError, match="is the workload itself"):
            typed("trace.swf", "--jobs", "2", "--swf", name)
    assert (tmp_path / "trace.swf").read_bytes() == before


def test_the_bounds_are_those_of_a_run_and_of_a_file():
    hints = get_type_hints(workload, include_extras=True)
    bounds = {name: get_args(hints[name])[-1] for name in ("load", "seed")}
    assert (bounds["load"].min, bounds["load"].max) == (LOWEST_LOAD, HIGHEST_LOAD)
    assert (bounds["seed"].min, bounds["seed"].max) == (0, HIGHEST_SEED)
    block = {"nodes": 1, "run_s": 1.0}
    for kind, needed in ((SchedulersSpec, {}), (BuiltinFile, {"builtin": "mixed"}), (BlocksFile, {"jobs": [block]})):
        kind(seed=HIGHEST_SEED, **needed)
        with pytest.raises(ValidationError, match="seed"):
            kind(seed=HIGHEST_SEED + 1, **needed)
    for kind, needed in ((SchedulersSpec, {}), (BuiltinFile, {"builtin": "mixed"}), (Block, block)):
        for load in (LOWEST_LOAD, HIGHEST_LOAD):
            kind(load=load, **needed)
            with pytest.raises(ValidationError, match="load"):
                kind(load=load * (10 if load > 1 else 0.1), **needed)
