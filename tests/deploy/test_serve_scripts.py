"""deploy/slurm/*.sh on a real Slurm: a pocket cluster, whose nodes share this machine and its loopback addresses."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from perfdb.services.addresses import Address
from perfdb.services.asking import is_healthy
from perfdb.services.connection import Connection
from perfdb.services.preflight.sessions import try_sessions
from tests.platforms.clusters import Cluster, pocket
from tests.services.serving import PERFDB, RESET, free_port, observation, talk, within

SCRIPTS = Path(__file__).parents[2] / "deploy" / "slurm"
NODES = ["127.0.0.2", "127.0.0.3", "127.0.0.4"]
OURS = re.compile(r"SLURM_|SLURMD_|SBATCH_|SALLOC_|PARTITION$|WORKERS|PORT$|USE_CONTAINER|ENVIRONMENT$")
SMALL = ["--cpus-per-task=1", "--mem=0"]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Three nodes, partitions `pocket` and `high`."""
    with pocket("serve", nodes=3, cpus=2, preempt="requeue") as started:
        yield started


@pytest.fixture
def env(cluster: Cluster) -> dict[str, str]:
    """A shell of a user of that cluster, on ports of the test's own."""
    bare = {name: value for name, value in os.environ.items() if not OURS.match(name)}
    port = str(free_port("127.0.0.1", *NODES))
    return {**bare, **cluster.env, "PERFDB": str(PERFDB), "PORT": port, "OPENENV_PORT": port, "ENVOY_PORT": port}


def run(argv: list[str | Path], folder: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv, cwd=folder, env=env, capture_output=True, text=True, timeout=180, check=False, stdin=subprocess.DEVNULL
    )


def submitted(done: subprocess.CompletedProcess[str]) -> str:
    found = re.search(r"Submitted batch job (\d+)", done.stdout)
    assert found, done
    return found[1]


def over(cluster: Cluster, *addresses: Address) -> None:
    """Wait until no job and no server is left."""
    within(40, lambda: not cluster.active())
    within(20, lambda: not any(is_healthy(address) for address in addresses))


def test_the_scripts_are_clean():
    scripts = sorted(SCRIPTS.glob("*.sh"))
    assert [script.name for script in scripts] == ["alloc.sh", "serve_multi.sh", "serve_single.sh"]
    shellcheck = shutil.which("shellcheck")
    assert shellcheck, "install shellcheck (tests/real_parts.sh does)"
    done = subprocess.run([shellcheck, *scripts], capture_output=True, text=True, check=False)
    assert done.stdout == ""
    assert all(os.access(script, os.X_OK) for script in scripts)


def test_a_single_server_is_found_by_its_log(cluster: Cluster, env: dict[str, str], tmp_path: Path):
    job = submitted(run(["sbatch", *SMALL, SCRIPTS / "serve_single.sh"], tmp_path, env | {"WORKERS": "2"}))
    log = tmp_path / f"benchmark-env-server_{job}.log"
    try:
        within(60, lambda: log.exists() and "Node: " in log.read_text())
        [node] = re.findall(r"^Node: (.*)$", log.read_text(), re.MULTILINE)
        address = Address(node, int(env["PORT"]))
        assert node in NODES
        within(60, lambda: is_healthy(address))
        assert observation(talk(address, RESET)[0])["host_url"] == str(address)
        assert "Workers: 2, up to 100 sessions each" in log.read_text()
    finally:
        cluster.ask("scancel", job)
    over(cluster, address)


@pytest.mark.parametrize("by_hand", [True, False])
def test_it_runs_in_the_partition_that_the_user_names(
    cluster: Cluster, env: dict[str, str], tmp_path: Path, by_hand: bool
):
    """By hand it submits itself there; under sbatch, which does not know PARTITION, it moves there."""
    script = SCRIPTS / "serve_single.sh"
    argv: list[str | Path] = [script, *SMALL] if by_hand else ["sbatch", *SMALL, script]
    submitted(run(argv, tmp_path, env | {"PARTITION": "high"}))

    def where() -> list[str]:
        return cluster.ask("squeue", "--noheader", "--states=RUNNING", "--format=%P %A").split()

    try:
        partition, job = within(60, lambda: where() if where()[:1] == ["high"] else None)
        log = tmp_path / f"benchmark-env-server_{job}.log"
        within(60, lambda: log.exists() and "Node: " in log.read_text())
    finally:
        for job in cluster.active():
            cluster.ask("scancel", job)
    assert partition == "high"
    over(cluster)


# Sections 3 to 5 of the runbook, as a user types them.
_INSIDE = """\
set -euo pipefail
{multi}
source openenv-connection.env
for node in $WORKER_NODES; do curl -sf "http://${{node}}:$OPENENV_PORT/health" >/dev/null && echo "[OK] $node"; done
cp openenv-connection.env told.env
curl -sf "$OPENENV_URL/health" >/dev/null && echo "[OK] envoy"
curl -sf "http://${{ENVOY_NODE}}:9901/clusters" | grep -E "openenv_cluster.*health"
"$PERFDB" preflight "$OPENENV_URL" --expected-hosts "$NUM_WORKERS" --json >preflight.json
"$PERFDB" run scaling --url "$OPENENV_URL" -n 60 --wait 0.1 --reps 1 --expected-hosts "$NUM_WORKERS" --require-hosts \\
    --output-dir results --no-server --json >run.json
squeue --steps --noheader --format='%N' | sort >steps
"""


def test_the_runbooks_multi_node_sections_work(cluster: Cluster, env: dict[str, str], tmp_path: Path):
    inside = tmp_path / "inside.sh"
    inside.write_text(_INSIDE.format(multi=SCRIPTS / "serve_multi.sh"))
    chosen = {"WORKERS": "2", "CPUS_PER_WORKER": "1", "MEM_PER_CPU": "1M", "PARTITION": "pocket", "TIME": "10:00"}
    done = run([SCRIPTS / "alloc.sh", "bash", inside], tmp_path, env | chosen | {"PERFDB_ROOT": str(tmp_path)})
    port = int(env["ENVOY_PORT"])
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert [line for line in done.stdout.splitlines() if line.startswith("[OK]")] == [
        "[OK] 127.0.0.3",
        "[OK] 127.0.0.4",
        "[OK] envoy",
    ]
    assert done.stdout.count("health_flags::healthy") == 2
    assert json.loads((tmp_path / "preflight.json").read_text())["fit"] is True
    assert json.loads((tmp_path / "run.json").read_text())["status"] == "ok"
    hosts = Counter(json.loads(line)["host_url"] for line in (tmp_path / "results" / "raw.jsonl").open())
    assert (len(hosts), sum(hosts.values())) == (2, 60)
    # Each of Envoy's threads deals in turns of its own, and it has one for each CPU: each may give one host one more.
    assert max(hosts.values()) - min(hosts.values()) <= (os.cpu_count() or 1)
    assert Connection.read(tmp_path / "told.env") == Connection(
        f"http://127.0.0.2:{port}", (Address("127.0.0.3", port), Address("127.0.0.4", port)), "127.0.0.2"
    )
    assert (tmp_path / "envoy-config-generated.yaml").read_text().count("- endpoint:") == 2
    assert (tmp_path / "steps").read_text().split() == ["n0", "n1", "n2"]  # the first node is Envoy's
    [log] = tmp_path.glob("benchmark-env-server_*.log")
    assert log.read_text() == "Node: 127.0.0.3\nNode: 127.0.0.4\nEnvoy: 127.0.0.2\n"
    over(cluster, *(Address(node, port) for node in NODES))


def test_in_a_batch_job_it_stays_until_it_is_cancelled(cluster: Cluster, env: dict[str, str], tmp_path: Path):
    options: list[str | Path] = ["--nodes=2", "--ntasks-per-node=1", *SMALL, "--output=job.log"]
    job = submitted(run(["sbatch", *options, SCRIPTS / "serve_multi.sh"], tmp_path, env))
    try:
        within(90, (tmp_path / "openenv-connection.env").exists)
        told = Connection.read(tmp_path / "openenv-connection.env")
        address = Address.parsed(told.url.removeprefix("http://"))
        within(20, lambda: "All are healthy" in (tmp_path / "job.log").read_text())
        seen = try_sessions(address, 10)
        assert seen.hosts == {str(told.workers[0]): 10}
        assert cluster.active() == [job]
    finally:
        cluster.ask("scancel", job)
    over(cluster, address)


@pytest.mark.parametrize(
    ("options", "variables", "words"),
    [
        (["--nodes=1"], {}, "the first one is Envoy's, so allocate one more than you want workers"),
        (["--nodes=2"], {"USE_CONTAINER": "true"}, "name an image that has perfdb[scaling] with CONTAINER_IMAGE"),
        (["--nodes=2"], {"PERFDB": "/nowhere/perfdb"}, "set PERFDB to one that every node sees"),
    ],
)
def test_what_can_not_work_is_refused_in_words(
    env: dict[str, str], tmp_path: Path, options: list[str], variables: dict[str, str], words: str
):
    done = run(["salloc", *options, "--mem=0", SCRIPTS / "serve_multi.sh"], tmp_path, env | variables)
    assert done.returncode == 1
    assert words in done.stderr
    assert not list(tmp_path.glob("*.env"))


def test_without_an_allocation_it_says_how_to_get_one(env: dict[str, str], tmp_path: Path):
    done = run([SCRIPTS / "serve_multi.sh"], tmp_path, env)
    assert done.returncode == 1
    assert "Get one first: WORKERS=2 ./deploy/slurm/alloc.sh" in done.stderr


def test_a_server_that_can_not_start_ends_all_with_its_last_words(
    cluster: Cluster, env: dict[str, str], tmp_path: Path
):
    broken = tmp_path / "perfdb"
    broken.write_text(
        f'#!/bin/sh\n[ "$2" = balancer ] && exec {PERFDB} "$@"\necho "no room for a server" >&2\nexit 1\n'
    )
    broken.chmod(0o755)
    (tmp_path / "openenv-connection.env").write_text("an old one")
    variables = env | {"PERFDB": str(broken)}
    # In the shell that stays, no step may be left either.
    look = f"{SCRIPTS}/serve_multi.sh; code=$?; sleep 2; squeue --steps --noheader --format=%i >steps; exit $code"
    done = run(["salloc", "--nodes=2", "--mem=0", "bash", "-c", look], tmp_path, variables)
    assert done.returncode == 1
    assert (tmp_path / "steps").read_text() == ""
    assert "no room for a server" in done.stderr
    assert "a server ended before all were healthy" in done.stderr
    assert not (tmp_path / "openenv-connection.env").exists()
    over(cluster, Address("127.0.0.2", int(env["ENVOY_PORT"])))


# The runtime of containers, as a machine may have it that is one itself: limits can't be raised there. And the image of the
# test holds a shell only; perfdb and its Python come from here.
_RUNTIME = """\
#!{python}
import json, os, sys
bundle = sys.argv[sys.argv.index("--bundle") + 1] if "--bundle" in sys.argv else None
if bundle:
    file = os.path.join(bundle, "config.json")
    with open(file) as config:
        told = json.load(config)
    del told["process"]["rlimits"]
    for folder in {folders!r}:
        told["mounts"].append({{"destination": folder, "type": "bind", "source": folder, "options": ["rbind", "ro"]}})
    kept = [one for one in told["process"]["env"] if not one.startswith("PATH=")]
    told["process"]["env"] = [*kept, "PATH={bin}:/bin"]
    with open(file, "w") as config:
        json.dump(told, config)
os.execv({runc!r}, ["runc", *sys.argv[1:]])
"""


@pytest.fixture
def containers(tmp_path: Path) -> Iterator[dict[str, str]]:
    """What a shell needs for podman to have an image `service` here, and to run it."""
    runc, busybox = (shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") for name in ("runc", "busybox"))
    assert runc and busybox and shutil.which("podman"), "install them (tests/real_parts.sh does)"
    folders = sorted({"/usr", "/lib", "/lib64", sys.base_prefix, sys.prefix, str(SCRIPTS.parents[1])})
    runtime = tmp_path / "runc"
    runtime.write_text(_RUNTIME.format(python=sys.executable, folders=folders, bin=PERFDB.parent, runc=runc))
    runtime.chmod(0o755)
    (tmp_path / "containers.conf").write_text(
        f'[engine]\ncgroup_manager = "cgroupfs"\nruntime = "runc"\n[engine.runtimes]\nrunc = ["{runtime}"]\n'
    )
    (tmp_path / "storage.conf").write_text(
        f'[storage]\ndriver = "vfs"\ngraphroot = "{tmp_path}/images"\nrunroot = "{tmp_path}/run"\n'
    )
    env = {
        "CONTAINERS_CONF": str(tmp_path / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(tmp_path / "storage.conf"),
    }
    shell = tmp_path / "rootfs" / "bin"
    shell.mkdir(parents=True)
    for name in ("sh", "cat", "kill"):
        shutil.copy(busybox, shell / name)
    subprocess.run(["tar", "-C", shell.parent, "-cf", tmp_path / "image.tar", "."], check=True)
    subprocess.run(["podman", "import", "--quiet", tmp_path / "image.tar", "service"], check=True, env=os.environ | env)
    yield env
    # Of a podman that was killed with its job, mounts are left.
    subprocess.run(["podman", "rm", "--all", "--force"], check=True, env=os.environ | env, stdout=subprocess.DEVNULL)


def test_in_containers_the_servers_end_with_their_job(
    cluster: Cluster, env: dict[str, str], containers: dict[str, str], tmp_path: Path
):
    variables = env | containers | {"USE_CONTAINER": "true", "CONTAINER_IMAGE": "localhost/service"}
    look = f"{SCRIPTS}/serve_multi.sh && podman ps --noheading --format '{{{{.Image}}}}' >running"
    done = run(["salloc", "--nodes=3", "--mem=0", "bash", "-c", look], tmp_path, variables)
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert (tmp_path / "running").read_text().splitlines() == ["localhost/service:latest"] * 3
    over(cluster, *(Address(node, int(env["ENVOY_PORT"])) for node in NODES))
    within(20, lambda: run(["podman", "ps", "--quiet"], tmp_path, variables).stdout == "")
