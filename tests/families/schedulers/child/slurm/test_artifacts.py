"""What is kept of a cluster."""

from __future__ import annotations

import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from perfdb.platforms.pocket import Places
from tests.families.schedulers.child.slurm.arms import child_module

artifacts = child_module("artifacts")
HOST = socket.gethostname().partition(".")[0]
DESCRIBED = (
    f"NodeName=n0 Arch=x86_64 CPUTot=1 NodeAddr=10.1.2.3 NodeHostName={HOST} Port=7001 State=IDLE OS=Linux 6.1 #1 @0\n"
    f"NodeName=n1 Arch=x86_64 CPUTot=1 NodeAddr=10.1.2.4 NodeHostName={HOST} Port=7002 State=DOWN"
)


@pytest.fixture
def cluster(tmp_path: Path) -> SimpleNamespace:
    places = Places(tmp_path / "perfdb-0-secretname")
    places.logs.mkdir(parents=True)
    places.conf.write_text(
        f"ClusterName={places.cluster_name}\nSlurmctldHost={HOST}(10.1.2.3)\nSlurmctldPort=7000\nSelectType=select/linear\n"
        f"StateSaveLocation={places.state}\n"
    )
    places.slurmctld_log.write_text("of another arm\nJobId=1 took\n")
    slurm = SimpleNamespace(described_nodes=lambda: DESCRIBED)
    return SimpleNamespace(places=places, slurm=slurm, order=("n0", "n1"), log_from=len("of another arm\n"))


def test_what_is_kept_names_no_host_no_address_and_no_folder(cluster: SimpleNamespace, tmp_path: Path) -> None:
    artifacts.keep(cluster, tmp_path / "kept")
    kept = {path.name: path.read_text() for path in (tmp_path / "kept").iterdir()}
    assert kept["slurmctld.log"] == "JobId=1 took\n"
    assert kept["nodes.txt"] == "node 0: State=IDLE CPUTot=1 Arch=x86_64\nnode 1: State=DOWN CPUTot=1 Arch=x86_64\n"
    assert kept["slurm.conf"] == (
        "ClusterName=<cluster-name>\nSlurmctldHost=<host>(<address>)\nSlurmctldPort=<port>\nSelectType=select/linear\n"
        "StateSaveLocation=<cluster>/state\n"
    )


def test_of_a_long_log_the_beginning_and_the_end_are_kept(cluster: SimpleNamespace, tmp_path: Path) -> None:
    lines = [f"line {number} of a log that grows and grows" for number in range(20_000)]
    cluster.places.slurmctld_log.write_text("\n".join(lines) + "\n")
    cluster.log_from = 0
    artifacts.keep(cluster, tmp_path / "kept")
    kept = (tmp_path / "kept" / "slurmctld.log").read_text().splitlines()
    (at,) = [number for number, line in enumerate(kept) if line.endswith("bytes left out]")]
    assert kept[:at] == lines[:at] and kept[at + 1 :] == lines[-(len(kept) - at - 1) :]
    assert sum(map(len, kept)) < 256 * 1024


def test_of_a_cluster_whose_files_are_not_ours_only_its_nodes_are_kept(
    cluster: SimpleNamespace, tmp_path: Path
) -> None:
    cluster.places = None
    artifacts.keep(cluster, tmp_path / "kept")
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["nodes.txt"]
