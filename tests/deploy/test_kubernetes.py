"""deploy/kubernetes: no container engine is at hand, so its files are read, not run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "kubernetes"
README = (FOLDER / "README.md").read_text(encoding="utf-8")

# https://kind.sigs.k8s.io/docs/user/configuration/, v1alpha4
CLUSTER_FIELDS = {
    "kind", "apiVersion", "name", "nodes", "networking", "featureGates", "runtimeConfig",
    "kubeadmConfigPatches", "kubeadmConfigPatchesJSON6902", "containerdConfigPatches",
}  # fmt: skip
NODE_FIELDS = {"role", "image", "labels", "extraMounts", "extraPortMappings", "kubeadmConfigPatches"}
INSTRUCTIONS = {"FROM", "ARG", "RUN", "USER", "WORKDIR", "ENV", "COPY", "CMD", "ENTRYPOINT", "LABEL"}


def dockerfile() -> list[tuple[str, str]]:
    """(instruction, arguments) of each line of the Dockerfile, continued lines joined, comments left out."""
    lines = (FOLDER / "Dockerfile").read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    joined = re.sub(r"\s*\\\n\s*", " ", text)
    parsed = []
    for line in filter(None, map(str.strip, joined.splitlines())):
        instruction, _, arguments = line.partition(" ")
        parsed.append((instruction, arguments.strip()))
    return parsed


def arguments_of(instruction: str) -> list[str]:
    return [arguments for name, arguments in dockerfile() if name == instruction]


def test_the_kind_cluster_has_one_control_plane_and_two_workers():
    cluster = yaml.safe_load((FOLDER / "kind.yaml").read_text(encoding="utf-8"))
    assert (cluster["kind"], cluster["apiVersion"]) == ("Cluster", "kind.x-k8s.io/v1alpha4")
    assert set(cluster) <= CLUSTER_FIELDS
    assert all(set(node) <= NODE_FIELDS for node in cluster["nodes"])
    assert sorted(node["role"] for node in cluster["nodes"]) == ["control-plane", "worker", "worker"]


def test_every_dockerfile_line_is_an_instruction_with_arguments_a_shell_can_split():
    lines = dockerfile()
    assert lines[0] == ("FROM", "python:3.11-slim")
    for instruction, arguments in lines:
        assert instruction in INSTRUCTIONS
        assert shlex.split(arguments)


def test_the_image_takes_parsls_version_and_refuses_to_build_without_it():
    assert "PARSL_VERSION" in arguments_of("ARG")
    install = next(command for command in arguments_of("RUN") if "pip install" in command)
    assert install.startswith('test -n "$PARSL_VERSION" &&')
    assert '"parsl==$PARSL_VERSION"' in install


def test_the_worker_does_not_run_as_root():
    user = dockerfile()[[name for name, _ in dockerfile()].index("USER")][1]
    assert user.split(":")[0].isdigit() and int(user.split(":")[0]) > 0
    after_user = [name for name, _ in dockerfile()].index("USER")
    assert "RUN" not in [name for name, _ in dockerfile()][after_user:]


def test_the_readmes_sed_finds_the_pinned_parsl():
    expression = re.search(r"sed -n '(s/.+/p)' requirements/base\.txt", README)
    assert expression and expression[1] == r"s/^parsl==\([^ ]*\).*/\1/p"
    pins = (ROOT / "requirements" / "base.txt").read_text(encoding="utf-8")
    assert len(re.findall(r"^parsl==([^ ]*).*", pins, re.MULTILINE)) == 1


def test_the_readme_uses_the_names_that_the_files_give():
    cluster = yaml.safe_load((FOLDER / "kind.yaml").read_text(encoding="utf-8"))
    config = (ROOT / "parsl-configs" / "kubernetes_kind.py").read_text(encoding="utf-8")
    image = re.search(r'"PERFDB_SITE_IMAGE", "([^"]+)"', config)
    assert image and not image[1].endswith(":latest")
    assert f"kind load docker-image {image[1]} --name {cluster['name']}" in README
    assert f"--tag {image[1]} deploy/kubernetes" in README
    assert f"kind delete cluster --name {cluster['name']}" in README
    for variable, default in re.findall(r'"(PERFDB_SITE_\w+)", "([^"]*)"', config):
        shown = f"`{default}`" if default else "empty"
        assert f"| `{variable}` | {shown} |" in README
