"""Strangers' text on its way into a page."""

from __future__ import annotations

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from perfdb.report.charts.scripts import script_json
from perfdb.report.site.text import slug, visible

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))


@given(ANY_TEXT)
def test_json_in_a_script_says_the_same_and_cannot_end_it(text: str) -> None:
    spelled = str(script_json([text]))
    assert json.loads(spelled) == [text]
    assert not set(spelled) & set("<>&\u2028\u2029")


@given(ANY_TEXT, ANY_TEXT)
def test_names_of_files_are_safe_and_tell_texts_apart(one: str, other: str) -> None:
    assert re.fullmatch(r"[a-z0-9_][a-z0-9._~-]{0,80}", slug(one))
    assert (slug(one) == slug(other)) == (one == other)


@given(ANY_TEXT)
def test_what_a_page_prints_has_nothing_unseen(text: str) -> None:
    shown = visible(text)
    assert isinstance(shown, str)
    assert len(shown) == len(text)
    assert not set(shown) & set("\u202e\u2066\u200f\x00\x1b\ufeff")
    shown.encode("utf-8")


def test_a_plain_name_stays_as_it_is() -> None:
    assert slug("local_htex") == "local_htex"
