"""deploy/kubernetes/service.yaml: no cluster is at hand, so its parts are held against one another, and Envoy reads its config."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from perfdb.cli.serve import app
from perfdb.services.addresses import Address
from perfdb.services.envoy import Balancer, config_yaml, find_envoy, validate

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
README = (FOLDER / "README.md").read_text(encoding="utf-8")
DOCUMENTS = {
    (document["kind"], document["metadata"]["name"]): document
    for document in yaml.safe_load_all((FOLDER / "service.yaml").read_text(encoding="utf-8"))
}
DEPLOYMENTS = [name for kind, name in DOCUMENTS if kind == "Deployment"]


def pod(deployment: str) -> dict[str, Any]:
    return dict(DOCUMENTS["Deployment", deployment]["spec"]["template"])


def container(deployment: str) -> dict[str, Any]:
    [only] = pod(deployment)["spec"]["containers"]
    return dict(only)


def test_envoys_config_is_the_one_that_perfdb_makes():
    kept = DOCUMENTS["ConfigMap", "openenv-envoy"]["data"]["envoy.yaml"]
    workers = (Address("openenv-workers", 8000),)
    assert kept == config_yaml(Balancer(Address("0.0.0.0", 8000), Address("127.0.0.1", 9901), workers))


def test_the_real_envoy_takes_it(tmp_path: Path):
    path = tmp_path / "envoy.yaml"
    path.write_text(DOCUMENTS["ConfigMap", "openenv-envoy"]["data"]["envoy.yaml"])
    validate(find_envoy(), path)


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_a_deployment_finds_its_own_pods(deployment: str):
    selector = DOCUMENTS["Deployment", deployment]["spec"]["selector"]["matchLabels"]
    assert selector == pod(deployment)["metadata"]["labels"]


@pytest.mark.parametrize(
    ("service", "deployment"), [("openenv-workers", "openenv-worker"), ("openenv", "openenv-envoy")]
)
def test_a_service_leads_to_pods_that_listen_on_its_port(service: str, deployment: str):
    spec = DOCUMENTS["Service", service]["spec"]
    assert spec["selector"] == pod(deployment)["metadata"]["labels"]
    assert [port["port"] for port in spec["ports"]] == [one["containerPort"] for one in container(deployment)["ports"]]


def test_the_name_that_envoy_looks_up_stands_for_every_server():
    assert DOCUMENTS["Service", "openenv-workers"]["spec"]["clusterIP"] == "None"  # a word of Kubernetes', no null


def test_a_server_is_started_with_options_and_variables_that_perfdb_knows():
    server = container("openenv-worker")
    program, serve, kind, *options = server["command"]
    known = get_command(app).commands[kind].params  # type: ignore[attr-defined]
    assert (program, serve) == ("perfdb", "serve")
    assert set(options[::2]) <= {name for one in known for name in one.opts}
    given = {one["name"] for one in server["env"]}
    assert set(re.findall(r"\$\((\w+)\)", " ".join(options))) <= given
    assert given - {"POD_IP"} <= {one.envvar for one in known}


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_the_image_is_the_one_that_the_page_builds_and_is_never_pulled(deployment: str):
    image = container(deployment)["image"]
    assert not image.endswith(":latest")
    assert container(deployment)["imagePullPolicy"] == "IfNotPresent"
    assert f"--file deploy/kubernetes/service.Dockerfile --tag {image} ." in README
    assert f"kind load docker-image {image} --name perfdb" in README


def test_the_config_is_mounted_where_envoy_looks_for_it():
    envoy = container("openenv-envoy")
    [mount] = envoy["volumeMounts"]
    [volume] = pod("openenv-envoy")["spec"]["volumes"]
    assert volume["name"] == mount["name"]
    assert f"{mount['mountPath']}/envoy.yaml" in envoy["command"]
    assert ("ConfigMap", volume["configMap"]["name"]) in DOCUMENTS


def test_the_image_does_not_run_as_root_and_holds_no_source():
    lines = (FOLDER / "service.Dockerfile").read_text(encoding="utf-8")
    assert re.search(r"^USER 1000:1000$", lines, re.MULTILINE)
    assert "[scaling]" in lines
    assert "rm -r /src" in lines
