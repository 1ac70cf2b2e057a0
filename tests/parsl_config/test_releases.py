"""The list of Parsl's releases, and ranges of it."""

from __future__ import annotations

import json
import os
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.errors import ParslInstallError, UsageError
from perfdb.parsl_config import releases as room
from perfdb.parsl_config.releases import expand_releases, in_order, listed, releases

KNOWN = ("1.2.0", "2023.10.9", "2023.10.16", "2024.1.1", "2024.1.8", "2024.9.30", "2024.10.7")
SAID = """parsl (2026.10.26)
Available versions: 2026.10.26, 2026.10.5, 2026.9.28, 1.1.0.post1, 1.1.0, 2026.11.1rc1
  INSTALLED: 2026.9.28
  LATEST:    2026.10.26
"""


def test_pip_s_words_become_releases_without_pre_releases_oldest_first():
    assert in_order(listed(SAID)) == ("1.1.0", "1.1.0.post1", "2026.9.28", "2026.10.5", "2026.10.26")


def test_the_index_is_asked_once_a_day_and_its_answer_is_in_order(tmp_path, monkeypatch):
    found = releases(tmp_path)
    if not found:
        pytest.skip("no index")
    assert found.index("2023.10.16") < found.index("2024.1.1") < found.index("2024.10.7")
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    assert releases(tmp_path) == found
    # A day later an index that is out of reach costs nothing: the old list serves.
    yesterday = time.time() - 90_000
    os.utime(tmp_path / "releases.json", (yesterday, yesterday))
    assert releases(tmp_path) == found


def test_without_an_index_it_says_what_to_type(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(ParslInstallError, match="Name the releases by hand"):
        releases(tmp_path)


@pytest.mark.parametrize("text", ["", "[", "{}", "[1]", '["x"]', "[]"])
def test_a_broken_list_is_asked_for_again(tmp_path, monkeypatch, text):
    (tmp_path / "releases.json").write_text(text)
    monkeypatch.setattr(room, "_ask", lambda _: SAID)
    assert len(releases(tmp_path)) == 5
    assert len(json.loads((tmp_path / "releases.json").read_bytes())) == 5


def test_a_range_holds_both_ends():
    assert expand_releases("2023.10.16..2024.1.8", KNOWN) == ("2023.10.16", "2024.1.1", "2024.1.8")


def test_a_range_of_seven_thinned_to_three_is_the_ends_and_the_middle():
    assert expand_releases("1.2.0..2024.10.7/3", KNOWN) == ("1.2.0", "2024.1.1", "2024.10.7")


@given(st.data())
def test_a_thinned_range_has_as_many_as_asked_in_order_with_both_ends(data):
    known = tuple(f"20{year}.1.1" for year in range(10, 10 + data.draw(st.integers(2, 89))))
    count = data.draw(st.integers(2, len(known)))
    found = expand_releases(f"{known[0]}..{known[-1]}/{count}", known)
    places = [known.index(one) for one in found]
    assert len(set(found)) == count
    assert places == sorted(places)
    assert (found[0], found[-1]) == (known[0], known[-1])
    gaps = {after - before for before, after in pairwise(places)}
    assert max(gaps) - min(gaps) <= 1


@pytest.mark.parametrize("text", ["2024.1.1", "../parsl", "../parsl@main", "..", "../..", "master", "git+https://x/y@a..b", "a/../b"])  # fmt: skip
def test_what_is_no_range_stands_for_itself(text):
    if text == "..":
        with pytest.raises(UsageError, match="two ends"):
            expand_releases(text, KNOWN)
    else:
        assert expand_releases(text, KNOWN) == (text,)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2023.10.15..2024.1.1", "nearest are 2023.10.9 and 2023.10.16"),
        ("2024.1.8..2024.1.1", "Type 2024.1.1..2024.1.8"),
        ("2024.1.1..", "two ends"),
        ("2024.1.1..2024.10.7/9", "from 2 to 4"),
        ("2024.1.1..2024.10.7/1", "from 2 to 4"),
        ("2024.1.1..2024.10.7/x", "from 2 to 4"),
        ("2024.1.1..2024.10.7/", "from 2 to 4"),
        ("2024.1.1..2024.10.7/99999999999999999999", "from 2 to 4"),
        ("main..2024.1.1", "'main' is no release"),
    ],
)
def test_a_range_that_cannot_be_says_what_to_type(text, said):
    with pytest.raises(UsageError, match=said):
        expand_releases(text, KNOWN)
