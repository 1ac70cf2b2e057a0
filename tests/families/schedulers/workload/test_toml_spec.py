"""Workloads in TOML files: what they say, and what they must not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.errors import UsageError
from perfdb.families.schedulers.workload.arrivals import offered_load
from perfdb.families.schedulers.workload.load import Loaded, loaded
from perfdb.families.schedulers.workload.toml_spec import Block, BuiltinFile, read_toml

ONE = "[[jobs]]\nnodes = 2\nrun_s = 4\n"


def of(tmp_path: Path, text: str, nodes: int = 4, seed: int = 1, load: float = 0.7, jobs: int = 0) -> Loaded:
    path = tmp_path / "list.toml"
    path.write_text(text)
    return loaded(str(path), nodes=nodes, seed=seed, load=load, jobs=jobs, compress=1.0)


def test_blocks_become_jobs_in_order_of_arrival(tmp_path):
    text = """
[[jobs]]
count = 3
nodes = 2
run_s = 4.5
every_s = 10
user = 1
[[jobs]]
nodes = 4
run_s = 1
limit_s = 90
arrival_s = 5.0
experiment = "wide"
user = 7
"""
    found = of(tmp_path, text).jobs
    assert [(j.job, j.arrival_s, j.nodes, j.run_s, j.limit_s, j.user, j.experiment) for j in found] == [
        (1, 0.0, 2, 4.5, 300.0, 1, "size-2"),
        (2, 5.0, 4, 1.0, 90.0, 7, "wide"),
        (3, 10.0, 2, 4.5, 300.0, 1, "size-2"),
        (4, 20.0, 2, 4.5, 300.0, 1, "size-2"),
    ]


def test_without_every_s_and_load_all_arrive_at_once(tmp_path):
    found = of(tmp_path, ONE.replace("nodes", "count = 3\narrival_s = 2\nnodes"))
    assert [job.arrival_s for job in found.jobs] == [2.0] * 3


def test_a_block_may_arrive_at_a_load_of_its_own(tmp_path):
    found = of(tmp_path, ONE.replace("nodes", "count = 40\nload = 1.5\narrival_s = 3\nnodes")).jobs
    assert found[0].arrival_s == 3.0 and offered_load(found, 4) == pytest.approx(1.5, rel=1e-4)


def test_a_built_in_workload_takes_from_the_file_what_it_says_and_the_rest_from_the_command_line(tmp_path):
    text = 'builtin = "mixed"\njobs = 10\nload = 1.1\n'
    same = loaded("mixed", nodes=4, seed=5, load=1.1, jobs=10, compress=1.0)
    assert of(tmp_path, text, seed=5, load=0.3, jobs=99).sha256 == same.sha256
    assert of(tmp_path, text + "seed = 5\n", seed=6).sha256 == same.sha256


def test_the_command_line_may_take_the_first_so_many_jobs(tmp_path):
    assert len(of(tmp_path, ONE.replace("nodes", "count = 9\nnodes"), jobs=4).jobs) == 4


def test_a_seed_in_the_file_draws_the_users(tmp_path):
    many = ONE.replace("nodes", "count = 30\nnodes")
    assert of(tmp_path, "seed = 3\n" + many, seed=1).sha256 == of(tmp_path, many, seed=3).sha256
    assert of(tmp_path, many, seed=1).sha256 != of(tmp_path, many, seed=3).sha256


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "jobs: Field required"),
        ("nodes = ", "is no TOML"),
        ("x" * 50_000 + " = [" * 3000, "is no TOML"),
        ("jobs = []", "jobs: List should have at least 1 item"),
        ("jobs = 3", "jobs: Input should be a valid list"),
        ('builtin = "mixed"\njobs = 0', "jobs: Input should be greater than or equal to 1"),
        ('builtin = "mixd"', "Did you mean mixed?"),
        ('builtin = "mixed"\n' + ONE, "jobs: Input should be a valid integer"),
        ('builtin = "mixed"\nnodes = 4', "nodes: there is no 'nodes'; known are builtin, jobs, load, seed"),
        (ONE + ONE.replace("2", '"2"'), "jobs 2.nodes: Input should be a valid integer"),
        (ONE.replace("2", "0"), "jobs 1.nodes: Input should be greater"),
        (ONE.replace("2", "true"), "jobs 1.nodes: Input should be a valid integer"),
        (ONE.replace("2", "9"), "Add --nodes 9"),
        (ONE.replace("4", "nan"), "jobs 1.run_s"),
        (ONE.replace("4", "inf"), "jobs 1.run_s"),
        (ONE.replace("4", "-1"), "jobs 1.run_s"),
        (ONE + "limit_s = 0", "jobs 1.limit_s"),
        (ONE + 'experiment = "../x"', "jobs 1.experiment"),
        (ONE + "every_s = 1\nload = 0.5", "leave one of them out"),
        (ONE + "count = 1000000\n" + ONE, "more than 1,000,000 jobs together"),
        (ONE + "load = 0", "jobs 1.load"),
        (ONE + "run = 3", "jobs 1.run: there is no 'run'; known are count, nodes, run_s, limit_s"),
        (ONE + "cont = 3", "(did you mean count?)"),
        ("nodes = 3\n" + ONE, "there is no 'nodes'; known are jobs, seed"),
        (ONE + "arrival_s = 1e9\nevery_s = 1e9\ncount = 3", "arrival_s"),
    ],
)
def test_what_is_wrong_is_told_with_its_place_in_one_paragraph(tmp_path, text, told):
    with pytest.raises(UsageError) as refused:
        of(tmp_path, text)
    assert told in str(refused.value) and "\n" not in str(refused.value).replace("\\n", "")
    assert len(str(refused.value)) < 1000


@given(st.text(max_size=200))
def test_whatever_stands_in_the_file_is_read_or_refused(text):
    try:
        read_toml(text, "list.toml")
    except UsageError as refused:
        assert str(refused).endswith(("there.", "example."))


def test_the_page_has_every_field():
    page = (Path(__file__).parents[4] / "docs" / "how-to" / "schedulers.md").read_text()
    for field in Block.model_fields:
        assert f"\n| `{field}` |" in page
    for field in BuiltinFile.model_fields:
        assert f"`{field}" in page
