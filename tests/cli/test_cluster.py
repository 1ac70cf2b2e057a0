"""`perfdb cluster`, as a user types it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from perfdb.cli.cluster import app
from perfdb.errors import ClusterError, Interrupted
from perfdb.platforms.pocket import Options, Places
from perfdb.platforms.pocket.programs import Programs
from tests.platforms.pocket.pockets import BIN, fresh, perfdb, running


def told(*arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    command = perfdb("cluster", *arguments)
    out, err = command.communicate(timeout=60)
    return command.returncode, out, err


@pytest.fixture(scope="module")
def pocket() -> Iterator[Places]:
    try:
        Programs.found()
    except ClusterError as missing:
        pytest.skip(str(missing))
    with running(Options(nodes=1)) as places:
        yield places


def test_env_is_what_a_shell_evaluates(pocket: Places) -> None:
    line = f"eval \"$({BIN}/perfdb cluster env --name {pocket.name})\" && srun sh -c 'echo $SLURM_CLUSTER_NAME'"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("SLURM")}
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True, env=environment, cwd="/")
    assert done.stdout.strip() == pocket.cluster_name
    assert json.loads(told("env", "--name", pocket.name, "--json")[1]) == {"SLURM_CONF": str(pocket.conf)}


def test_status_says_what_runs_in_words_and_as_a_document(pocket: Places) -> None:
    code, out, _ = told("status", "--name", pocket.name)
    assert code == 0
    assert f"the cluster {pocket.name!r} is up: 1 node, 2 CPUs each, 0 jobs" in out
    document = json.loads(told("status", "--name", pocket.name, "--json")[1])
    assert document["up"]
    assert document["options"]["nodes"] == 1
    assert set(document["daemons"]) == {"munged", "slurmctld", "slurmd-n0"}
    assert document["nodes"] == {"n0": "idle"}


def test_up_again_is_done_at_once_and_says_what_to_type_next(pocket: Places) -> None:
    code, out, err = told("up", "--name", pocket.name, "--nodes", "1")
    assert (code, err) == (0, "")
    assert f'next: eval "$(perfdb cluster env --name {pocket.name})"' in out


def test_where_no_cluster_is_each_command_says_so_with_its_exit_code() -> None:
    name = fresh().name
    assert told("status", "--name", name)[0] == 1
    code, out, err = told("env", "--name", name)
    assert (code, out) == (1, "")
    assert f"Start it with `perfdb cluster up --name {name}`" in err
    assert told("down", "--name", name) == (0, f"no cluster {name!r} was here\n", "")
    assert json.loads(told("down", "--name", name, "--json")[1]) == {"ended": False}


def test_down_says_how_to_free_a_shell_that_still_speaks_to_the_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    gone, other = fresh(), fresh()
    monkeypatch.setenv("SLURM_CONF", str(gone.conf))
    assert told("down", "--name", gone.name)[1] == f"no cluster {gone.name!r} was here\nnext: unset SLURM_CONF\n"
    assert told("down", "--name", gone.name, "--json")[1] == '{\n  "ended": false\n}\n'
    assert "unset" not in told("down", "--name", other.name)[1]


def test_an_interrupted_start_that_could_not_be_undone_says_what_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    places = fresh()

    def start(*_: object) -> None:
        places.folder.mkdir()
        raise KeyboardInterrupt

    monkeypatch.setattr("perfdb.platforms.pocket.up", start)
    try:
        with pytest.raises(Interrupted, match=rf"still here.*`perfdb cluster down --name {places.name}` ends"):
            CliRunner().invoke(app, ["up", "--name", places.name], catch_exceptions=False)
    finally:
        places.folder.rmdir()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("up", "--boot-s", "3"), 2, "add --cloud"),
        (("up", "--nodes", "65"), 2, "--nodes"),
        (("up", "--scheduler", "fifo"), 2, "--scheduler"),
        (("up", "--name", "../etc"), 1, "no name for a cluster"),
        (("down", "--name", "Pocket"), 1, "no name for a cluster"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_starts(arguments: tuple[str, ...], code: int, says: str) -> None:
    before = set(Path("/tmp").glob("perfdb-*"))
    exit_code, out, err = told(*arguments)
    assert (exit_code, out) == (code, "")
    assert says in err
    assert "Traceback" not in err
    assert {path for path in set(Path("/tmp").glob("perfdb-*")) - before if "etc" in path.name} == set()


def test_missing_packages_are_named_with_the_command_that_installs_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("perfdb.platforms.pocket.programs._ALSO", ())
    monkeypatch.setattr("perfdb.platforms.pocket.programs.is_debian", lambda: True)
    with pytest.raises(
        ClusterError, match=r"lacks munged, slurmctld.* `(sudo )?apt-get install slurm-wlm munge`, then"
    ):
        Programs.found()
    for name in ("slurmctld", "slurmd", "sinfo", "squeue", "scontrol", "scancel", "sbatch", "srun"):
        (tmp_path / name).touch(mode=0o755)
    with pytest.raises(ClusterError, match=r"lacks munged\. .* `(sudo )?apt-get install munge`, then"):
        Programs.found()
