from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from perfdb.registry.index.versions import version_key

numbers = st.integers(0, 3) | st.integers(0, 10**30)
releases = st.lists(numbers, min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))
local = st.lists(st.from_regex(r"[a-z0-9]{1,3}", fullmatch=True), min_size=1, max_size=3).map(
    lambda p: "+" + ".".join(p)
)


def maybe(strategy: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.just("") | strategy


versions = st.builds(
    "".join,
    st.tuples(
        maybe(st.just("1!")),
        releases,
        maybe(st.builds("{}{}".format, st.sampled_from(["a", "b", "rc"]), numbers)),
        maybe(st.builds(".post{}".format, numbers)),
        maybe(st.builds(".dev{}".format, numbers)),
        maybe(local),
    ),
)


@given(versions, versions)
def test_keys_sort_as_versions_do(one: str, other: str) -> None:
    left, right = version_key(one), version_key(other)
    assert left is not None and right is not None
    assert (left < right, left == right) == (Version(one) < Version(other), Version(one) == Version(other))


def test_october_comes_after_august() -> None:
    keys = [
        version_key(text) or "" for text in ("2025.8", "2025.10.1.dev1", "2025.10.1a1", "2025.10.1", "2025.10.1.post1")
    ]
    assert sorted(keys) == keys


@pytest.mark.parametrize("text", ["", "master", "slurm 23.11", "1" * 300, "1.2.x", "\0"])
def test_what_is_no_version_has_no_key(text: str) -> None:
    assert version_key(text) is None
