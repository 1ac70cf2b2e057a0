"""What may be asked of parsl-perf, and how it is asked."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from perfdb.families.throughput.spec import ThroughputSpec

ALL_FLAGS = ("--time", "--iterate", "--argsize", "--resources", "--config", "--version")


@pytest.mark.parametrize("iterate", ["estimate", "exponential", "10,1000", "1,1,1"])
def test_these_iterations_can_be_asked_for(iterate):
    assert ThroughputSpec(iterate=iterate).iterate == iterate


@pytest.mark.parametrize(
    "iterate", ["", "10,", ",10", "0,10", "-1,10", "10, 10", "1e3,10", "10\n", "10;10", "forever", "1" * 10 + ",1"]
)
def test_these_cannot(iterate):
    with pytest.raises(ValidationError, match="task counts such as"):
        ThroughputSpec(iterate=iterate)


def test_a_single_iteration_is_refused_with_what_to_type_instead():
    with pytest.raises(ValidationError, match="name at least two, such as 10,5000"):
        ThroughputSpec(iterate="5000")


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        ("{'cores': 1, 'memory': 0, 'disk': 0}", "{'cores': 1, 'memory': 0, 'disk': 0}"),
        ('{"cores":1}', "{'cores': 1}"),
        ("{}", "{}"),
        (
            "{'gpu': None, 'exclusive': True, 'tags': ['a', 'b']}",
            "{'gpu': None, 'exclusive': True, 'tags': ['a', 'b']}",
        ),
    ],
)
def test_resources_are_a_dictionary_spelled_plainly(given_, kept):
    assert ThroughputSpec(resources=given_).resources == kept


@pytest.mark.parametrize(
    "resources",
    [
        "__import__('os').system('touch /tmp/owned')",
        "{'cores': __import__('os').getpid()}",
        "{'cores': open('/etc/passwd').read()}",
        "{'cores': (lambda: 1)()}",
        "{**{'a': 1}}",
        "{'a': x}",
        "dict(cores=1)",
        "{'cores': 1}; import os",
        "{'cores': 1}\nimport os",
        "{c: c for c in 'ab'}",
        "f'{1}'",
        "{'cores': 1e999}",
        "{'cores': -1e999}",
        "[1]",
        "{1}",
        "None",
        "",
        "{",
        "[" * 10_000,
        "{'a': " + "9" * 5000 + "}",
        "\0",
    ],
)
def test_nothing_but_a_literal_reaches_parsl_perfs_eval(resources):
    with pytest.raises(ValidationError, match="it is a dictionary such as"):
        ThroughputSpec(resources=resources)


@given(st.text() | st.from_regex(r"\{'a': .{0,20}\}", fullmatch=True))
def test_resources_that_are_let_through_are_literals(text):
    try:
        kept = ThroughputSpec(resources=text).resources
    except ValidationError:
        return
    assert isinstance(ast.literal_eval(kept), dict)


@pytest.mark.parametrize(
    "changes",
    [
        *({"time": time} for time in (0, -1, float("nan"), float("inf"), 86401)),
        *({"reps": 0}, {"reps": 1001}, {"argsize": -1}, {"argsize": 2**31}, {"surprise": 1}),
    ],
)
def test_values_out_of_bounds_are_refused(changes):
    with pytest.raises(ValidationError):
        ThroughputSpec(**changes)


def test_the_spec_becomes_parsl_perfs_own_flags():
    spec = ThroughputSpec(time=5, iterate="10,20", argsize=8, resources="{'cores': 1}")
    assert spec.parsl_perf_flags(ALL_FLAGS) == (
        *("--time", "5"),
        *("--iterate", "10,20"),
        *("--argsize", "8"),
        *("--resources", "{'cores': 1}"),
    )


def test_defaults_are_said_so_that_a_release_with_others_measures_the_same():
    assert ThroughputSpec().parsl_perf_flags(ALL_FLAGS) == ("--time", "120", "--iterate", "estimate", "--argsize", "0")


def test_an_old_release_is_asked_for_what_it_knows():
    assert ThroughputSpec(time=5).parsl_perf_flags(("--config", "--time", "--resources")) == ("--time", "5")


@pytest.mark.parametrize(("change", "flag"), [({"iterate": "exponential"}, "--iterate"), ({"argsize": 1}, "--argsize")])
def test_an_old_release_is_not_asked_for_what_it_lacks(change, flag):
    with pytest.raises(ValueError, match=f"this release's parsl-perf has no {flag}"):
        ThroughputSpec(**change).parsl_perf_flags(("--time",))


@given(st.floats(1e-3, 86400))
def test_the_time_that_is_asked_for_is_the_time_in_the_record(time):
    asked = float(ThroughputSpec(time=time).parsl_perf_flags(("--time",))[1])
    assert asked == pytest.approx(time, rel=1e-14)
