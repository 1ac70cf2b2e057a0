"""Arms as data: what is built in, and what a hostile file may not say."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from perfdb.errors import UsageError
from perfdb.families.schedulers.child.kubernetes.arms_file import LARGEST_BYTES, Described, describe

BUILT_IN = ("default", "fluence", "fluence-original", "coscheduling", "kueue")
_GROUP = """
[arms.mine]
scheduler_name = "mine"
[[arms.mine.objects]]
apiVersion = "scheduling.x-k8s.io/v1alpha1"
kind = "PodGroup"
metadata = {name = "{job}"}
spec = {minMember = "{nodes}"}
"""


def read(text: str, folder: Path, name: str = "mine") -> Described:
    (file := folder / "arms.toml").write_text(text)
    return Described.model_validate_json(describe([name], file)[name])


@pytest.mark.parametrize("name", BUILT_IN)
def test_an_arm_that_is_built_in_needs_no_file(name: str) -> None:
    described = Described.model_validate_json(describe([name])[name])
    assert described.name == name
    assert described.arm.scheduler_name


def test_one_scheduler_stands_in_two_versions() -> None:
    told = [Described.model_validate_json(one).arm for one in describe(["fluence", "fluence-original"]).values()]
    assert told[0].scheduler_name != told[1].scheduler_name
    assert [len(one.objects) for one in told] == [1, 0]
    assert told[1].pod_labels.keys() == {"fluence.pod-group", "fluence.group-size", "scheduling.x-k8s.io/pod-group"}
    assert told[1].pod_labels["fluence.group-size"] == "{nodes}"


def test_a_file_describes_an_arm_without_code(tmp_path: Path) -> None:
    described = read(_GROUP + '[jobs]\nimage = "busybox@sha256:' + "0" * 64 + '"\n', tmp_path)
    assert described.arm.scheduler_name == "mine"
    assert described.arm.objects[0]["kind"] == "PodGroup"
    assert described.jobs.image.startswith("busybox@sha256:")


def test_what_jobs_are_is_the_same_for_every_arm_of_a_file(tmp_path: Path) -> None:
    (file := tmp_path / "arms.toml").write_text('[jobs]\ncpu = "1500m"\n' + _GROUP)
    told = describe(["mine", "default"], file)
    assert {Described.model_validate_json(one).jobs.cpu for one in told.values()} == {"1500m"}


def test_an_arm_of_the_file_stands_for_the_built_in_one_of_its_name(tmp_path: Path) -> None:
    assert read('[arms.fluence]\nscheduler_name = "fluence-2"\n', tmp_path, "fluence").arm.scheduler_name == "fluence-2"


def test_an_arm_that_nobody_describes_is_told_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match=r"coscheduling, default, fluence.*--kubernetes FILE"):
        describe(["volcano"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[arms.mine", "Expected"),
        ("[arms.mine]\nschedulerName = 'x'\n", "Extra inputs"),
        ("[arms.mine]\nscheduler_name = 'a b'\n", "pattern"),
        ("[arms.mine]\nscheduler_name = 7\n", "string"),
        ("[arms.mine]\nimage = 'x;rm -rf /'\n", "image"),
        ("[arms.'../up']\n", "arms"),
        ("[arms.mine.pod_labels]\n'perfdb-run' = 'x'\n", "perfdb"),
        ("[arms.mine.pod_labels]\na = '{password}'\n", "{password} stands for nothing here"),
        ("[arms.mine.pod_labels]\na = '{job.__class__}'\nb = '{nope}'\n", "{nope}"),
        (_GROUP.replace('"{job}"', '"default"'), "does not begin with {job}"),
        (_GROUP.replace('name = "{job}"', 'name = "{job}", namespace = "kube-system"'), "own namespace alone"),
        (_GROUP.replace('name = "{job}"', 'name = "{job}", finalizers = ["x"]'), "finalizers"),
        (_GROUP.replace('name = "{job}"', 'name = "{job}", labels = {perfdb-run = "0123456789"}'), "perfdb"),
        (_GROUP.replace('name = "{job}"', 'generateName = "x"'), "needs a name"),
        (_GROUP.replace('"PodGroup"', '"Namespace"'), "a cluster's"),
        (_GROUP.replace('kind = "PodGroup"\n', ""), "an apiVersion and a kind"),
        (_GROUP.replace('"{nodes}"', "1979-05-27"), "date"),
        (_GROUP.replace('"{nodes}"', "nan"), "number"),
        (_GROUP.replace('"{nodes}"', "[" * 30 + "1" + "]" * 30), "in one another"),
        (_GROUP.replace('"{nodes}"', str([1] * 3000)), "more than 2000 values"),
        ("[jobs]\ncpu = '-1'\n", "cpu"),
        ("[jobs]\nlammps = {image = 'x', command = ['{shell}']}\n", "{shell}"),
        ("# " + "x" * LARGEST_BYTES, "larger than"),
    ],
)
def test_a_hostile_file_is_refused_in_a_paragraph(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        read(text, tmp_path)
    message = str(refused.value)
    assert told in message
    assert len(message) < 2000
    assert message.endswith("or leave out --kubernetes for the built-in arms")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"x = " + b"[" * 100_000])
def test_bytes_that_are_no_toml_are_refused(content: bytes, tmp_path: Path) -> None:
    (file := tmp_path / "arms.toml").write_bytes(content)
    with pytest.raises(UsageError, match="describes no arms"):
        describe(["default"], file)


def test_a_file_that_is_not_there_is_told() -> None:
    with pytest.raises(UsageError, match="No such file"):
        describe(["default"], Path("/nowhere/arms.toml"))


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "arms.toml")
    with pytest.raises(UsageError, match="it is no file"):
        describe(["default"], tmp_path / "arms.toml")
