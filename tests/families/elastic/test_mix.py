"""The jobs of a run: one seed, one list."""

from __future__ import annotations

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from perfdb.families.elastic.mix import digest, mix_of
from perfdb.families.elastic.spec import ElasticSpec

COUNTS = {"elastic": 2, "rigid": 2, "urgent": 2}
UNITS = {"elastic": 40, "rigid": 10, "urgent": 6}


def test_one_seed_is_one_list_of_jobs_in_any_process() -> None:
    program = "from perfdb.families.elastic import *; from perfdb.families.elastic.mix import digest; print(digest(ElasticSpec().mix))"
    elsewhere = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert elsewhere == {digest(ElasticSpec().mix)}


def test_another_seed_is_another_list() -> None:
    assert digest(ElasticSpec(seed=1).mix) != digest(ElasticSpec(seed=2).mix)


def test_the_hash_tells_of_a_job_with_one_unit_more() -> None:
    first, *others = ElasticSpec().mix
    changed = first.model_copy(update={"units": first.units + 1})
    assert digest([changed, *others]) != digest([first, *others])


@given(
    seed=st.integers(0, 2**53 - 1),
    cpus=st.integers(1, 64),
    counts=st.tuples(st.integers(1, 5), st.integers(0, 5), st.integers(0, 5)),
    units=st.integers(1, 50),
    within_s=st.floats(0, 100),
)
def test_a_mix_has_what_was_asked_for(
    seed: int, cpus: int, counts: tuple[int, int, int], units: int, within_s: float
) -> None:
    asked = dict(zip(COUNTS, counts, strict=True))
    jobs = mix_of(seed, cpus, asked, dict.fromkeys(UNITS, units), within_s)
    assert {of: sum(job.of == of for job in jobs) for of in COUNTS} == asked
    assert [job.job for job in jobs] == list(range(1, len(jobs) + 1))
    assert [job.arrival_s for job in jobs] == sorted(job.arrival_s for job in jobs)
    assert jobs[0].arrival_s == 0
    assert jobs[-1].arrival_s <= within_s + 1e-6
    for job in jobs:
        assert 1 <= job.min_cpus <= job.cpus <= job.max_cpus <= cpus
        assert units / 2 <= job.units <= 1.5 * units
        assert (job.priority > jobs[0].priority) == (job.of == "urgent")
        assert (job.min_cpus < job.max_cpus) == (job.of == "elastic" and cpus > 1)
