"""The comment that a pull request gets."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from perfdb.registry.validator import Fault, Report, as_markdown


def fault(problem: str = "it is a link", file: str = "mlruns/x") -> Fault:
    return Fault(file, "odd-path", "", problem, "take it out")


def test_a_good_contribution_is_told_so_and_that_its_numbers_are_unverified():
    comment = as_markdown(Report(records=("0" * 16,), files=5))
    assert "nothing is wrong" in comment
    assert "1 record, 5 files" in comment
    assert "not verified" in comment


def test_code_is_pointed_out():
    assert "is code" in as_markdown(Report(contains_code=True))


def test_a_long_list_is_cut_and_says_how_much_more_there_is():
    comment = as_markdown(Report(tuple(fault(file=f"mlruns/{n}") for n in range(70)), left_out=30))
    assert "100 faults" in comment
    assert "and 50 more" in comment
    assert comment.count("\n| `") == 50


@given(st.text(max_size=400))
def test_no_text_leaves_its_code_span(text: str):
    for line in as_markdown(Report((fault(text, text),))).splitlines()[6:]:
        cells = re.fullmatch(r"\| `([^`|\n]*)` \| `([^`|\n]*)` \| `([^`|\n]*)` \|", line)
        assert cells is not None, line
