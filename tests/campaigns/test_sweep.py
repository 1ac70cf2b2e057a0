"""The matrix of a sweep."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.campaigns.sweep import Cell, cells, labels, scalar
from perfdb.errors import UsageError

OPTIONS = frozenset(["time", "argsize", "reps"])


def test_every_combination_is_there_once_and_the_first_name_changes_slowest():
    assert cells(["a", "b"], ["1", "2"], {"workers": ["1", "4"]}, OPTIONS) == [
        Cell(config, parsl, {}, {"workers": workers}) for config in "ab" for parsl in "12" for workers in (1, 4)
    ]


def test_an_option_of_the_family_is_told_from_a_param_of_the_config():
    (cell,) = cells(["a"], [], {"argsize": ["10"], "provider.max_blocks": ["2"]}, OPTIONS)
    assert (cell.spec, cell.overrides) == ({"argsize": "10"}, {"provider.max_blocks": 2})


def test_without_a_parsl_the_one_that_is_there_is_meant():
    assert [cell.parsl for cell in cells(["a"], [], {}, OPTIONS)] == [None]


@given(
    st.lists(st.sampled_from("abc"), min_size=1, unique=True),
    st.lists(st.sampled_from(["1", "2", "3"]), unique=True),
    st.dictionaries(st.sampled_from(["time", "x", "y"]), st.lists(st.sampled_from("123"), min_size=1, unique=True)),
)
def test_no_two_cells_of_a_matrix_have_one_label(configs, parsls, vary):
    matrix = cells(configs, parsls, vary, OPTIONS)
    assert len(set(labels(matrix))) == len(matrix)


def test_a_label_has_no_slash_so_that_it_may_name_a_run():
    assert labels(cells(["configs/a.py"], ["../parsl@x"], {"workers": ["2"]}, OPTIONS)) == [
        "a, Parsl parsl at x, workers=2"
    ]


@pytest.mark.parametrize(
    ("text", "value"), [("4", 4), ("0.5", 0.5), ("true", True), ("None", None), ("debug", "debug"), ("1e3", 1000.0)]
)
def test_a_value_is_read_as_what_it_spells(text, value):
    found = scalar(text)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize("rest", ["/x y@main", "", "@main", "/x@fake-user@203.0.113.7"])
def test_a_label_names_no_host_no_user_and_no_password(rest):
    typed = f"git+https://fake-user:fakefaketoken1@203.0.113.7:1{rest}"
    (label,) = labels(cells(["a"], [typed], {}, OPTIONS))
    assert not any(secret in label for secret in ("fake-user", "fakefaketoken1", "203.0.113.7", "@"))


@pytest.mark.parametrize("text", ["nan", "inf", "1e999", str(2**53), "9" * 5000])
def test_a_number_that_no_record_can_hold_is_refused(text):
    with pytest.raises(UsageError, match="is no number"):
        scalar(text)


def test_a_matrix_beyond_reason_is_refused_before_it_is_made():
    many = [str(n) for n in range(10_000)]
    with pytest.raises(UsageError, match="1,000,000,000,000 set-ups"):
        cells(["a"], [], {"x": many, "y": many, "z": many}, OPTIONS)
