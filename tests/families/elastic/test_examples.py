"""The mixes that come with perfdb."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from perfdb.families.elastic.spec import ElasticSpec

SPECS = sorted((Path(__file__).resolve().parents[3] / "examples" / "elastic").glob("*.toml"))


def test_there_are_some() -> None:
    assert [path.name for path in SPECS] == ["many_resizes.toml", "ten_resizes.toml"]


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_an_example_is_a_mix_of_one_elastic_job_and_urgent_ones(path: Path) -> None:
    spec = ElasticSpec.model_validate(tomllib.loads(path.read_text()))
    classes = [job.of for job in spec.mix]
    assert (classes[0], classes.count("elastic"), set(classes)) == ("elastic", 1, {"elastic", "urgent"})
    assert classes.count("urgent") > 10
