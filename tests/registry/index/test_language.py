from __future__ import annotations

import pytest

from perfdb.errors import UsageError
from perfdb.registry.index.language import (
    AllOf,
    Among,
    AnyOf,
    Comparison,
    Like,
    Literal,
    Missing,
    Not,
    parse_query,
)


def test_and_binds_closer_than_or_and_not_closest() -> None:
    a, b, c = (Comparison(name, "==", Literal("1")) for name in "abc")
    assert parse_query("a == 1 or not b == 1 and c == 1") == AnyOf((a, AllOf((Not(b), c))))
    assert parse_query("(a = 1 or b=1) AND c==1") == AllOf((AnyOf((a, b)), c))


def test_words_need_no_quotes_where_they_can_only_be_values() -> None:
    assert parse_query("started_at > -7d") == Comparison("started_at", ">", Literal("-7d"))
    assert parse_query("machine in (doug-fir, 'a, b')") == Among(
        "machine", (Literal("doug-fir"), Literal("a, b", quoted=True))
    )
    assert parse_query("x == and") == Comparison("x", "==", Literal("and"))


def test_names_that_begin_like_a_word_of_the_language_are_names() -> None:
    names = ("not_x", "order", "in.x", "is-it", "null_count", "android", "metric.rate[tasks/s]", "größe")
    for name in names:
        assert parse_query(f"{name} != 1") == Comparison(name, "!=", Literal("1"))


def test_any_sign_can_stand_in_quotes_and_backticks() -> None:
    assert parse_query("`tag.my (odd) tag` == 'it''s'") == Comparison(
        "tag.my (odd) tag", "==", Literal("it's", quoted=True)
    )
    assert parse_query('a == "say ""yes"""') == Comparison("a", "==", Literal('say "yes"', quoted=True))


def test_missing_present_and_like() -> None:
    assert parse_query("a is null and b IS NOT NULL") == AllOf((Missing("a"), Not(Missing("b"))))
    assert parse_query("a not like 'x%'") == Not(Like("a", "x%"))
    assert parse_query("a not in (1)") == Not(Among("a", (Literal("1"),)))


@pytest.mark.parametrize(
    ("query", "place", "expected"),
    [
        ("a == = 5", 5, "a value"),
        ("a ==", 4, "a value"),
        ("== 5", 0, "a name"),
        ("a == 5 5", 7, "`and`"),
        ("(a == 5", 7, "`)`"),
        ("a == 5)", 6, "the end of the query"),
        ("a in ()", 6, "a value"),
        ("a is 5", 5, "`null`"),
        ("a ! 5", 2, "a comparison"),
        ("a == 'x", 5, "a value"),
        ("a\n==\t== 5", 5, "a value"),
    ],
)
def test_a_fault_is_pointed_at(query: str, place: int, expected: str) -> None:
    with pytest.raises(UsageError) as refusal:
        parse_query(query)
    _, shown, pointer = str(refusal.value).split("\n")
    assert (len(shown) - 2, pointer.index("^") - 2) == (len(query), place)
    assert expected in pointer


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("a == 5 MB", "expected `and` or `or` or the end of the query. Numbers stand without a unit"),
        ("a == 5 or", "expected a name or `(`. "),
        ("a in (5 6)", "expected `,` or `)`. "),
        ("(a == 5 b", "expected `and` or `or` or `)`. "),
    ],
)
def test_only_what_may_stand_there_is_proposed(query: str, expected: str) -> None:
    with pytest.raises(UsageError) as refusal:
        parse_query(query)
    assert expected in str(refusal.value)


def test_no_nesting_exhausts_anything() -> None:
    assert parse_query("not " * 2001 + "a == 1") == Not(Comparison("a", "==", Literal("1")))
    for query in ("(" * 5000 + "a == 1" + ")" * 5000, "a == 1 or " * 5000 + "a == 1"):
        with pytest.raises(UsageError, match="too long"):
            parse_query(query)
