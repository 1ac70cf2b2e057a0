"""`perfdb doctor` as people run it: real processes, real git, real Slurm, in a root of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from perfdb.cli.doctor.checks import CHECKS, TOPICS
from perfdb.cli.doctor.running import AT_ONCE, EACH_S
from perfdb.platforms.pocket import Options
from tests.platforms.pocket.pockets import kill, running

PERFDB = str(Path(sys.executable).parent / "perfdb")
KEYS = {"name", "status", "found", "needed_for", "fix"}
# Made up, and nobody's.
PASSWORD = "fake-hunter2"
PERSON = "zaphodbeeble"


@dataclass
class Patient:
    """A root, and the environment of somebody who asks for a look."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)

    def doctor(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command, whatever it ends with."""
        kept = {
            k: v for k, v in os.environ.items() if not k.startswith(("PERFDB_", "MLFLOW_", "SLURM_", "KUBE", "GIT_"))
        }
        home = {"HOME": str(self.root / "home"), "PERFDB_ROOT": str(self.root), "GIT_CONFIG_NOSYSTEM": "1"}
        argv = [PERFDB, "doctor", *arguments]
        env = {**kept, **home, **self.env}
        return subprocess.run(argv, cwd=self.root, env=env, capture_output=True, text=True, check=False, timeout=120)

    def points(self, *topics: str) -> dict[str, Any]:
        """Its lines by name."""
        return {point["name"]: point for point in json.loads(self.doctor(*topics, "--json").stdout)}

    def git(self, *arguments: str) -> None:
        """git in the root."""
        subprocess.run(["git", "-C", str(self.root), *arguments], check=True, capture_output=True)


@pytest.fixture
def patient(tmp_path: Path) -> Patient:
    root = tmp_path / "root"
    (root / "home").mkdir(parents=True)
    return Patient(root)


def program(folder: Path, name: str, text: str) -> None:
    """A program for PATH: it stands for one that cannot be had here, such as kubectl before a cluster."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def test_everything_is_one_document_of_lines_with_names_of_their_own(patient: Patient) -> None:
    done = patient.doctor("--json")
    points = json.loads(done.stdout)
    assert all(set(point) == KEYS for point in points)
    assert len({point["name"] for point in points}) == len(points)
    assert all(point["found"] and point["needed_for"] for point in points)
    assert all(point["fix"] for point in points if point["status"] != "ok")
    assert done.returncode == any(point["status"] == "fix" for point in points)
    assert not [point for point in points if "check failed" in point["found"]]


def test_no_name_of_a_person_or_a_machine_is_told(patient: Patient) -> None:
    patient.root = patient.root / "home" / PERSON / "results"
    (patient.root / "home").mkdir(parents=True)
    patient.env = {"USER": PERSON, "LOGNAME": PERSON, "HOSTNAME": "heartofgold", "HOME": str(patient.root.parent)}
    patient.env |= {"PERFDB_REGISTRY": str(patient.root.parents[2] / PERSON), "PERFDB_STATE_DIR": f"~/{PERSON}"}
    (patient.root.parent / PERSON / "work" / "kept").mkdir(parents=True)
    told = patient.doctor().stdout
    assert "registry" in told
    assert "look into ~/<user>/work/" in told
    assert not [name for name in (PERSON, "heartofgold", socket.gethostname()) if name in told]


def test_a_topic_is_looked_at_alone(patient: Patient) -> None:
    assert set(patient.points("python", "limits")) >= {"python", "open files"}
    assert not set(patient.points("python")) & {"open files", "git", "registry"}


def test_a_slip_in_a_topic_is_wrong_usage_and_gets_a_question(patient: Patient) -> None:
    done = patient.doctor("slrum")
    assert done.returncode == 2
    assert "Did you mean slurm?" in done.stderr


def test_the_help_names_every_topic(patient: Patient) -> None:
    words = patient.doctor("--help").stdout.replace(",", " ").replace(".", " ").split()
    assert not [topic for topic in TOPICS if topic not in words]


def test_a_shell_completes_a_topic(patient: Patient) -> None:
    env = {**os.environ, "_PERFDB_COMPLETE": "complete_bash", "COMP_WORDS": "perfdb doctor slu", "COMP_CWORD": "2"}
    done = subprocess.run([PERFDB], env=env, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["slurm"]


def test_all_checks_together_are_over_after_ten_seconds_even_if_each_hangs() -> None:
    rounds = -(-len(CHECKS) // AT_ONCE)
    assert rounds * EACH_S <= 10


def test_a_registry_that_cannot_be_written_is_to_be_fixed(patient: Patient) -> None:
    patient.env["PERFDB_REGISTRY"] = os.devnull + "/registry"
    done = patient.doctor("disk")
    assert done.returncode == 1
    assert "FIX   registry" in done.stdout
    assert "PERFDB_REGISTRY" in done.stdout
    assert "1 thing to fix" in done.stdout


def test_a_variable_with_a_slip_in_its_name_is_a_note(patient: Patient) -> None:
    patient.env["PERFDB_REGISTY"] = "/elsewhere"
    point = patient.points("settings")["settings"]
    assert point["status"] == "note"
    assert "nothing reads PERFDB_REGISTY" in point["found"]
    assert point["fix"] == "export PERFDB_REGISTRY=…"


def test_journals_that_cannot_be_read_are_not_taken_for_none(patient: Patient) -> None:
    (patient.root / ".perfdb" / "journal").mkdir(parents=True, mode=0)
    env = {**os.environ, "PERFDB_ROOT": str(patient.root)}
    plain = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"] if os.geteuid() == 0 else []
    done = subprocess.run([*plain, PERFDB, "doctor", "runs"], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "-> chmod u+rwx .perfdb/journal" in done.stdout


def test_looking_makes_no_folder_and_leaves_no_file(patient: Patient) -> None:
    patient.doctor()
    assert [path.name for path in patient.root.rglob("*")] == ["home"]


def test_few_files_and_little_cpu_time_are_notes_with_the_command(patient: Patient) -> None:
    limited = f'ulimit -S -n 200; ulimit -t 3000; exec "{PERFDB}" doctor limits --json'
    env = {**os.environ, "PERFDB_ROOT": str(patient.root)}
    done = subprocess.run(["bash", "-c", limited], env=env, capture_output=True, text=True, check=True)
    points = {point["name"]: point for point in json.loads(done.stdout)}
    assert (points["open files"]["status"], points["open files"]["fix"]) == ("note", "ulimit -n $(ulimit -Hn)")
    assert points["cpu time"]["status"] == "note"
    done = subprocess.run(
        ["bash", "-c", limited.replace("-S -n", "-n")], env=env, capture_output=True, text=True, check=True
    )
    assert "limits.conf" in next(p for p in json.loads(done.stdout) if p["name"] == "open files")["fix"]


def test_a_repository_is_followed_from_no_checkout_to_a_remote_that_takes_a_branch(patient: Patient) -> None:
    found = patient.points("git")
    assert found["git checkout"]["status"] == "note"
    patient.git("init", "--initial-branch=main")
    found = patient.points("git")
    assert found["git checkout"]["status"] == "ok"
    assert "user.name" in found["git identity"]["fix"]
    assert "git remote add origin URL" in found["git remote"]["fix"]
    patient.git("config", "user.name", "Somebody")
    patient.git("config", "user.email", "somebody@example.org")
    patient.git("commit", "--allow-empty", "--message=first")
    remote = patient.root.parent / "remote.git"
    subprocess.run(["git", "init", "--bare", "--quiet", str(remote)], check=True)
    patient.git("remote", "add", "origin", str(remote))
    found = patient.points("git")
    assert {point["status"] for point in found.values()} == {"ok"}
    assert "git push" in found
    assert not subprocess.run(["git", "-C", str(remote), "branch"], capture_output=True, check=True).stdout
    remote.rename(remote.with_suffix(".gone"))
    found = patient.points("git")
    assert found["git push"]["status"] == "note"
    assert "does not appear to be a git repository" in found["git push"]["found"]
    assert "git remote -v" in found["git push"]["fix"]
    patient.git("remote", "set-url", "origin", "ssh://somebody@127.0.0.1:9/results.git")
    told = patient.points("git")["git push"]["found"]
    assert told.startswith("`origin` does not take a branch: ssh: ")
    assert "127.0.0.1" not in told


def test_a_temporary_folder_that_is_not_there_is_to_be_fixed(patient: Patient) -> None:
    assert patient.points("disk")["temporary folder"]["status"] in ("ok", "note")
    patient.env["TMPDIR"] = "/nonexistent"
    point = patient.points("disk")["temporary folder"]
    assert point["status"] == "fix"
    assert "unset TMPDIR" in point["fix"]


def test_a_password_in_a_remotes_address_is_told_to_nobody(patient: Patient) -> None:
    patient.git("init")
    patient.git("-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "--allow-empty", "--message=first")
    patient.git("remote", "add", "origin", f"http://{PERSON}:{PASSWORD}@127.0.0.1:9/results.git")
    told = patient.doctor("git").stdout
    assert "note  git push" in told
    assert PASSWORD not in told
    assert PERSON not in told


def test_mini_slurms_enforcement_is_what_its_daemon_would_find(patient: Patient) -> None:
    find = "from perfdb.minislurm.enforcement import strongest; print(strongest().name)"
    name = subprocess.run([sys.executable, "-c", find], capture_output=True, text=True, check=True).stdout.strip()
    assert name in patient.points("mini-slurm")["mini-slurm"]["found"]


def test_envoy_is_started(patient: Patient) -> None:
    assert "it starts" in patient.points("envoy")["envoy"]["found"]


def test_a_kubernetes_cluster_that_somebody_named_and_that_is_silent_is_to_be_fixed(patient: Patient) -> None:
    bin_ = patient.root.parent / "bin"
    program(bin_, "kubectl", """echo '{"serverVersion": {"gitVersion": "v1.32.4"}}'""")
    patient.env["PATH"] = f"{bin_}:{os.environ['PATH']}"
    assert patient.points("kubernetes")["kubernetes"]["status"] == "note"
    patient.env["KUBECONFIG"] = "/somewhere"
    assert "v1.32.4" in patient.points("kubernetes")["kubernetes"]["found"]
    program(bin_, "kubectl", "echo no route to secret-host >&2; exit 1")
    done = patient.doctor("kubernetes")
    assert done.returncode == 1
    assert "secret-host" not in done.stdout


def test_what_is_not_installed_is_a_note_with_the_way_to_it(patient: Patient) -> None:
    (patient.root.parent / "bin").mkdir()
    patient.env["PATH"] = str(patient.root.parent / "bin")
    done = patient.doctor("slurm", "git", "kubernetes", "others")
    assert done.returncode == 0
    assert "perfdb doctor pocket" in done.stdout
    assert done.stdout.count("note") == done.stdout.count("-> ") + 1  # the last line counts the notes


def test_slurm_is_told_from_its_controller_on_and_missed_when_it_dies(patient: Patient) -> None:
    with running(Options(nodes=1)) as places:
        patient.env |= places.exports()
        found = patient.points("slurm")
        assert found["slurm controller"]["status"] == "ok"
        assert "select/" in found["slurm scheduling"]["found"]
        assert "--accounting" in found["slurm accounting"]["fix"]
        kill(places, "slurmctld")
        done = patient.doctor("slurm")
        assert done.returncode == 1
        assert "FIX   slurm controller" in done.stdout
        assert f"-> perfdb cluster up --name {places.name}; " in done.stdout


def test_a_pocket_cluster_lacks_nothing_where_its_programs_are(patient: Patient) -> None:
    assert patient.points("pocket")["pocket cluster"]["status"] == "ok"
