"""Every config in parsl-configs/ keeps the rules of its README, and loads or names what it lacks."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CONFIGS = Path(__file__).parents[2] / "parsl-configs"
NAMES = sorted(path.stem for path in CONFIGS.glob("*.py"))
NAMING = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+")
PLATFORMS = {"local", "slurm", "minislurm", "kubernetes"}
LACKS = {
    "slurm_flux": "Flux",
    "kubernetes_kind": "kube-config",  # its client is here, and no cluster
    "slurm_pocket": "perfdb cluster up",
    "minislurm_htex": "mini-slurm scheduler",
}
SECRET = re.compile(r"token|passw|api_?key|secret|credential|BEGIN [A-Z ]*PRIVATE|://[^/\s]*@", re.IGNORECASE)

# Run in a process of its own, as perfdb does: prints the first executor and its provider, or what was raised.
LOAD = """
import json, runpy, sys
try:
    namespace = runpy.run_path(sys.argv[1])
except Exception as error:
    print(json.dumps({"error": f"{type(error).__name__}: {error}"}))
    raise SystemExit
configs = [value for value in namespace.values() if type(value).__name__ == "Config"]
executor, = configs[0].executors
provider = getattr(executor, "provider", None)
plain = lambda thing: {k: v for k, v in vars(thing).items() if isinstance(v, (str, int, float, bool, type(None)))}
print(json.dumps({
    "configs": len(configs), "is_named_config": configs[0] is namespace["config"],
    "usage_tracking": configs[0].usage_tracking, "monitoring": configs[0].monitoring is not None,
    "executor": {"class": type(executor).__name__, **plain(executor)},
    "provider": provider and {"class": type(provider).__name__, **plain(provider),
                              "overrides": getattr(getattr(provider, "launcher", None), "overrides", None)},
}))
"""


def source(name: str) -> str:
    return (CONFIGS / f"{name}.py").read_text(encoding="utf-8")


def site_values(name: str) -> dict[str, str]:
    """The variables a config reads in assignments at its top level, with their defaults."""
    values = {}
    for statement in ast.parse(source(name)).body:
        if isinstance(statement, ast.Assign):
            for call in environment_reads(statement):
                variable, default = (ast.literal_eval(argument) for argument in call.args)
                values[variable] = default
    return values


def environment_reads(tree: ast.AST) -> list[ast.Call]:
    return [
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "os.environ.get"
    ]


def load(name: str, **environment: str) -> dict[str, Any]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PERFDB_SITE_", "SLURM_"))}
    child = subprocess.run(
        [sys.executable, "-c", LOAD, str(CONFIGS / f"{name}.py")],
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    loaded: dict[str, Any] = json.loads(child.stdout)
    return loaded


def readme_defaults() -> dict[str, str]:
    """The table of site values in the README: variable -> default."""
    rows = re.findall(
        r"^\| `(PERFDB_SITE_\w+|SLURM_CONF)` \| (\S+) \|",
        (CONFIGS / "README.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    return {variable: "" if default == "empty" else default.strip("`") for variable, default in rows}


def test_the_promised_configs_are_there():
    promised = {
        "local_threads",
        "local_htex",
        "local_mpi",
        "slurm_hopper",
        "slurm_flux",
        "kubernetes_kind",
        "minislurm_htex",
    }
    assert promised <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_name_is_platform_then_what(name: str):
    assert NAMING.fullmatch(name)
    assert name.split("_", maxsplit=1)[0] in PLATFORMS


@pytest.mark.parametrize("name", NAMES)
def test_the_first_docstring_line_is_one_sentence(name: str):
    docstring = ast.get_docstring(ast.parse(source(name))) or ""
    first, *rest = docstring.splitlines() or [""]
    assert first.endswith(".") and len(first) > 20
    assert not rest or rest[0] == ""


@pytest.mark.parametrize("name", NAMES)
def test_no_config_holds_what_looks_like_a_secret_or_a_home(name: str):
    assert not SECRET.search(source(name))
    assert not re.search(r"/(home|Users|root)/", source(name))


@pytest.mark.parametrize("name", NAMES)
def test_the_environment_is_read_only_at_the_top_and_with_a_default(name: str):
    tree = ast.parse(source(name))
    assert len(environment_reads(tree)) == len(site_values(name))
    assert len(re.findall(r"\benviron\b", source(name))) == len(site_values(name))
    assert "getenv" not in source(name)


@pytest.mark.parametrize("name", NAMES)
def test_each_site_value_stands_in_the_readme_with_its_default_and_its_readers(name: str):
    readme = (CONFIGS / "README.md").read_text(encoding="utf-8")
    documented = readme_defaults()
    for variable, default in site_values(name).items():
        assert documented[variable] == default
        row = next(line for line in readme.splitlines() if line.startswith(f"| `{variable}`"))
        assert f"`{name}`" in row


def test_the_readme_names_no_variable_that_nothing_reads():
    read = {variable for name in NAMES for variable in site_values(name)}
    assert set(readme_defaults()) == read


@pytest.mark.parametrize("name", NAMES)
def test_a_config_loads_or_names_what_it_lacks(name: str):
    loaded = load(name, KUBECONFIG="/dev/null")
    if "error" in loaded:
        assert name in LACKS, loaded["error"]
        assert LACKS[name] in loaded["error"]
    else:
        assert loaded["configs"] == 1
        assert loaded["is_named_config"]
        assert not loaded["usage_tracking"]
        assert not loaded["monitoring"]


def test_local_htex_stays_on_loopback_with_one_block():
    loaded = load("local_htex")
    assert loaded["executor"]["address"] == "127.0.0.1"
    assert loaded["executor"]["cores_per_worker"] == 1
    blocks = [loaded["provider"][name] for name in ("init_blocks", "min_blocks", "max_blocks")]
    assert blocks == [1, 1, 1]


def test_slurm_hopper_asks_for_hopper_cpu_unless_told_otherwise():
    loaded = load("slurm_hopper")
    assert loaded["provider"]["partition"] == "hopper-cpu"
    assert loaded["provider"]["account"] is None
    assert loaded["provider"]["nodes_per_block"] == 1
    assert loaded["executor"]["address"] is None


def test_slurm_hopper_honours_every_variable_it_states():
    told = {
        "PERFDB_SITE_PARTITION": "cpu",
        "PERFDB_SITE_ACCOUNT": "physics",
        "PERFDB_SITE_NODES": "3",
        "PERFDB_SITE_WALLTIME": "00:05:00",
        "PERFDB_SITE_SCHEDULER_OPTIONS": "#SBATCH --qos=short",
        "PERFDB_SITE_WORKER_INIT": "module load python",
        "PERFDB_SITE_ADDRESS": "login.example.org",
    }
    assert set(told) == set(site_values("slurm_hopper"))
    loaded = load("slurm_hopper", **told)
    provider = loaded["provider"]
    assert provider["partition"] == "cpu"
    assert provider["account"] == "physics"
    assert provider["nodes_per_block"] == 3
    assert provider["walltime"] == "00:05:00"
    assert provider["scheduler_options"].startswith("#SBATCH --qos=short\n")
    assert "#SBATCH --exclusive\n" in provider["scheduler_options"]
    assert provider["worker_init"] == "module load python\n"
    assert loaded["executor"]["address"] == "login.example.org"


def test_slurm_pocket_takes_this_python_to_nodes_that_come_and_go(tmp_path: Path):
    """With a stand-in `sacct` on PATH, which Parsl asks at once: the real one waits for a slurm.conf that is not there."""
    sacct = tmp_path / "sacct"
    sacct.write_text("#!/bin/sh\nexit 1\n")
    sacct.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    provider = load("slurm_pocket", PATH=path, SLURM_CONF="/somewhere/slurm.conf")["provider"]
    assert provider["partition"] == "pocket"
    assert [provider[name] for name in ("init_blocks", "min_blocks", "max_blocks", "nodes_per_block")] == [1, 0, 3, 1]
    assert f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH\n" in provider["worker_init"]


def test_slurm_flux_starts_its_brokers_with_the_srun_options(tmp_path: Path):
    """With a stand-in `flux` on PATH, since no Flux can be had here; Parsl only looks that it exists."""
    flux = tmp_path / "flux"
    flux.write_text("#!/bin/sh\nexit 1\n")
    flux.chmod(0o755)
    loaded = load(
        "slurm_flux",
        PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        PERFDB_SITE_SRUN_OPTIONS="--mpi=none",
        PERFDB_SITE_NODES="2",
    )
    assert loaded["executor"]["class"] == "FluxExecutor"
    assert loaded["provider"]["partition"] == "hopper-cpu"
    assert loaded["provider"]["nodes_per_block"] == 2
    assert loaded["provider"]["overrides"] == "--cpus-per-task=$SLURM_CPUS_ON_NODE --mpi=none"


def test_local_mpi_runs_with_the_resources_that_its_docstring_gives(tmp_path: Path):
    docstring = ast.get_docstring(ast.parse(source("local_mpi"))) or ""
    resources = re.search(r"--resources '(.+)'", docstring)
    assert resources
    command = [str(Path(sys.executable).with_name("parsl-perf")), "--config", str(CONFIGS / "local_mpi.py")]
    bin_first = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    child = subprocess.Popen(
        [*command, "--iterate", "3,3", "--resources", resources[1]],
        cwd=tmp_path,
        env=os.environ | {"PATH": bin_first, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = child.communicate(timeout=90)
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
    assert child.returncode == 0, output
    assert output.count("Tasks per second") == 2
