from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.families.scaling.plan import LoadPlan
from tests.families.scaling.loads import child_modules

(shapes,) = child_modules("shapes")
plans = st.builds(
    lambda shape, **fields: LoadPlan(url="http://a", shape=shape, steady_s=5, **fields).model_dump(),
    shape=st.sampled_from(["burst", "barrier", "open", "closed"]),
    sessions=st.integers(1, 60),
    rate=st.floats(0.5, 50),
    poisson=st.booleans(),
    seed=st.integers(0, 2**53 - 1),
    ramp_s=st.sampled_from([0.0, 0.5, 3.0]),
    warm_up_s=st.sampled_from([0.0, 2.0]),
)


@given(plans, st.integers(1, 7))
def test_all_clients_together_do_what_one_alone_would(plan, clients):
    alone = list(shapes.of_plan(plan, 0).starts)
    shares = [list(shapes.of_plan(plan | {"clients": clients}, client).starts) for client in range(clients)]
    assert sorted(one for share in shares for one in share) == alone
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    assert [number for number, _ in alone] == list(range(len(alone)))
    assert all(earlier <= later for (_, earlier), (_, later) in pairwise(alone))


def starts(**fields):
    plan = LoadPlan(url="http://a", shape="open", **fields).model_dump()
    return [at for _, at in shapes.of_plan(plan, 0).starts]


def test_a_constant_rate_is_evenly_spaced():
    assert starts(rate=4, steady_s=1) == [0, 0.25, 0.5, 0.75]


def test_a_ramp_has_half_as_many_arrivals_as_its_rate_would():
    times = starts(rate=100, ramp_s=2, steady_s=1)
    assert sum(at < 2 for at in times) == 100
    assert sum(at < 1 for at in times) == 25
    assert times[100:] == pytest.approx([2 + n / 100 for n in range(100)])


def test_a_poisson_process_has_its_rate_and_its_spread():
    times = starts(rate=1000, steady_s=20, poisson=True, seed=7)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    mean = sum(gaps) / len(gaps)
    assert len(times) == pytest.approx(20_000, abs=4 * 20_000**0.5)
    # The gaps of such a process have a standard deviation as long as their mean.
    assert (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5 == pytest.approx(mean, rel=0.05)
    assert times == starts(rate=1000, steady_s=20, poisson=True, seed=7)
    assert times != starts(rate=1000, steady_s=20, poisson=True, seed=8)
