"""Queries against the plain meaning that `plain.py` gives them, over records that hold everything odd."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perfdb.errors import UsageError
from perfdb.record import Check, Code, Metric, Record
from perfdb.registry import Registry
from perfdb.registry.index import Index
from perfdb.registry.index.language import AllOf, Among, AnyOf, Comparison, Like, Literal, Missing, Node, Not
from tests.registry.index.plain import holds
from tests.tracking.records import make_record

HOSTILE = (
    "'; DROP TABLE records; --",
    '" OR TRUE --',
    "' OR '1'='1",
    "?",
    "$1",
    "c0",
    "read_text('/etc/hostname')",
    "\\",
    "%",
    "_",
    "\0",
    "a\nb",
    "é\N{SNOWMAN}",
    "",
)
TEXTS = (*HOSTILE, "8", "8.0", "true", "abc", "ABC", "abd", "nan", "inf", " 8", "1_0", "٣")
VALUES = (None, True, False, 0, 8, -3, 2.5, 1e300, -0.0, *TEXTS)
VERSIONS = ("2025.8", "2025.8.0", "2025.10.1", "2025.10.1.dev1", "2026.1+local", "master", None)
TAGS = ("", "4", "4.0", "12", "four", "4e0", "-1", *HOSTILE)
START = datetime(2026, 1, 1, tzinfo=UTC)
# One name of each kind that a stranger could choose freely is hostile itself.
ODD = "x'\" or 1=1; --"


def record(number: int) -> Record:
    """A record of the values whose turn it is."""
    version = VERSIONS[number % len(VERSIONS)]
    metrics = (Metric(name="rate", unit="1", direction="none", values=(float(number % 7), float(number % 5))),)
    return make_record(
        run_name=f"run {number}",
        started_at=START + timedelta(hours=number),
        params={
            "mixed": VALUES[number % len(VALUES)],
            ODD: VALUES[(number * 7) % len(VALUES)],
            "text": TEXTS[number % 3],
        },
        spec={"mixed": VALUES[(number * 5) % len(VALUES)]} if number % 3 else {},
        tags={"size": TAGS[number % len(TAGS)]} if number % 4 else None,
        code=Code(perfdb_version="0.1.0", measured={"parsl": version} if version else {}),
        metrics=metrics if number % 3 else (),
        checks=(Check(name="fit", passed=bool(number % 2), detail=""),) if number % 5 else (),
    )


RECORDS = {made.record_id: made for made in map(record, range(60))}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    root = tmp_path_factory.mktemp("conditions")
    for made in RECORDS.values():
        Registry(root / "mlruns").save(made, {})
    return Index(root / "mlruns", root / ".perfdb")


def written(node: Node) -> str:
    """A tree as a query."""
    match node:
        case AllOf(items):
            return "(" + " and ".join(map(written, items)) + ")"
        case AnyOf(items):
            return "(" + " or ".join(map(written, items)) + ")"
        case Not(inner):
            return f"not ({written(inner)})"
        case Missing(name):
            return f"`{name}` is null"
        case Like(name, pattern):
            return f"`{name}` like {quoted(pattern)}"
        case Among(name, values):
            return f"`{name}` in ({', '.join(map(spelled, values))})"
        case Comparison(name, operator, value):
            return f"`{name}` {operator} {spelled(value)}"
    raise AssertionError(node)


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def spelled(literal: Literal) -> str:
    return quoted(literal.text) if literal.quoted else literal.text


bare = st.sampled_from(["8", "8.0", "-3", "2.5", "0", "1e300", "4", "true", "false", "abc", "12", "2025.8"])
texts = st.sampled_from([*TEXTS, *TAGS]) | st.text(max_size=4).filter(lambda t: t.isprintable())
free = bare.map(Literal) | texts.map(lambda text: Literal(text, quoted=True))
numbers = st.sampled_from(["0", "2", "2.5", "6", "1e3"]).map(Literal)
instants = st.integers(-5, 70).map(lambda h: Literal((START + timedelta(hours=h)).isoformat(), quoted=True))
versions = st.sampled_from([v for v in VERSIONS if v and v != "master"]).map(Literal)
operators = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
equality = st.sampled_from(["==", "!="])
FREE = ["param.mixed", f"param.{ODD}", "spec.mixed", "tag.size", "name"]
comparisons = (
    st.builds(Comparison, st.sampled_from(FREE), operators, free)
    | st.builds(Comparison, st.just("param.text"), equality, free)
    | st.builds(Comparison, st.just("metric.rate"), operators, numbers)
    | st.builds(Comparison, st.just("started_at"), operators, instants)
    | st.builds(Comparison, st.just("parsl_version"), operators, versions)
    | st.builds(Comparison, st.just("check.fit"), equality, st.sampled_from(["true", "false"]).map(Literal))
    | st.builds(Among, st.sampled_from(FREE), st.lists(free, min_size=1, max_size=3).map(tuple))
    | st.builds(Like, st.sampled_from(FREE), texts | st.sampled_from(["a%", "%b%", "ab_", "%"]))
    | st.builds(Missing, st.sampled_from([*FREE, "metric.rate", "parsl_version", "check.fit", "started_at"]))
)


def joined(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.builds(Not, inner) | st.builds(AllOf, several) | st.builds(AnyOf, several)


nodes: st.SearchStrategy[Node] = st.recursive(comparisons, joined, max_leaves=5)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(nodes)
def test_a_query_finds_exactly_the_records_that_it_describes(index: Index, node: Node) -> None:
    found = index.search(written(node))
    ids = found.values(found.columns(["record_id"])[0])
    assert set(ids) == {record_id for record_id, made in RECORDS.items() if holds(node, made) is True}
    assert len(ids) == found.total


@pytest.mark.parametrize("text", [*HOSTILE, "*", "records", "x' UNION SELECT 1; --"])
@pytest.mark.parametrize("column", ["name", "param.mixed", "tag.size", "parsl_version", "machine"])
def test_no_text_is_more_than_a_text(index: Index, column: str, text: str) -> None:
    expected = {
        "param.mixed": lambda made: made.params["mixed"] == text,
        "tag.size": lambda made: (made.tags or {}).get("size") == text,
    }
    describes: Callable[[Record], bool] = expected.get(column, lambda made: False)
    found = index.search(f"`{column}` == {quoted(text)}")
    assert found.total == sum(map(describes, RECORDS.values()))
    assert index.search(where={column: text}).total == found.total
    assert index.search().total == len(RECORDS)


@pytest.mark.parametrize("name", [ODD, "c0", "row", "records", "1; SELECT 1", "*", "read_parquet"])
def test_a_name_is_a_name_of_ours_or_nothing(index: Index, name: str) -> None:
    for ask in (lambda: index.search(f"`{name}` is null"), lambda: index.search(sort=[name])):
        if name == ODD:
            assert ask().total in (len(RECORDS), sum(made.params[ODD] is None for made in RECORDS.values()))
        else:
            with pytest.raises(UsageError, match="no record here has a value named"):
                ask()


def test_no_query_reaches_a_file(index: Index, tmp_path: Path) -> None:
    import duckdb

    (tmp_path / "x.csv").write_text("a\n1\n")
    with pytest.raises(duckdb.Error):
        index._connection.execute(f"SELECT * FROM '{tmp_path}/x.csv'")


def test_a_day_is_as_long_as_it_is(index: Index) -> None:
    counts = {
        query: index.search(f"started_at {query}").total for query in ("< 2026-01-02", "== 2026-01-02", "> 2026-01-02")
    }
    assert list(counts.values()) == [24, 24, 12]
    assert index.search("started_at <= 2026-01-02").total == 48
    assert index.search("started_at >= 2026-01-02").total == 36
    assert index.search("started_at == 2026-01").total == index.search("started_at == 2026").total == 60
    assert index.search("started_at == 2026-01-02T00:00").total == 1
    assert index.search("started_at == '2026-01-02T01:00+01:00'").total == 1


def test_an_age_counts_from_now(index: Index) -> None:
    hours = (datetime.now(UTC) - START) / timedelta(hours=1)
    assert index.search(f"started_at > -{int(hours) - 30}h").total == 60 - 31 or hours < 60


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("metric.rate > fast", "a number, such as"),
        ("started_at > yesterday", "a date, an instant or an age"),
        ("started_at > 2026-13", "a date, an instant or an age"),
        ("started_at > -999999w", "a date, an instant or an age"),
        ("parsl_version > master", "a version, such as"),
        ("check.fit == 1", "true or false"),
        ("check.fit < true", "compare it with == or !="),
        ("metric.rate like '1%'", "is for text"),
        ("param.text > 5", "holds no number here"),
        ("mixed == 8", "param.mixed or spec.mixed: type it with its prefix"),
        ("param.mixd == 8", "The closest are param.mixed"),
        ("rat == 8", "The closest are metric.rate"),
        ("rate[kg] == 8", "The closest are metric.rate"),
        ("chedule == 8", "The closest are scheduler"),
        ("VERSION == 8", "The closest are parsl_version, perfdb_version, scheduler_version"),
        ("zzzzzzzz == 8", "There are record_id, family"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_what_can(index: Index, query: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        index.search(query)


def test_a_bare_word_equals_what_it_spells_and_a_quoted_one_only_text(index: Index) -> None:
    def found(query: str) -> set[object]:
        rows = index.search(query)
        return {(type(value), value) for value in rows.values(rows.columns(["param.mixed"])[0])}

    assert found("param.mixed == 8") == {(int, 8), (str, "8")}
    assert found("param.mixed == '8'") == {(str, "8")}
    assert found("param.mixed == true") == {(bool, True), (str, "true")}
    assert found("param.mixed == 'true'") == {(str, "true")}


def test_bytes_that_are_no_text_are_refused(index: Index) -> None:
    for ask in ({"query": "name == '\udcff'"}, {"where": {"machine": "\udcff"}}):
        with pytest.raises(UsageError, match="no text"):
            index.search(**ask)  # type: ignore[arg-type]


def test_a_name_without_its_prefix_is_the_one_that_it_can_only_be(index: Index) -> None:
    assert index.search("rate >= 3").total == index.search("metric.rate >= 3").total > 0
    assert index.search("fit == true").total == index.search("check.fit == true").total > 0


def test_sorting_puts_numbers_in_order_and_what_is_missing_last(index: Index) -> None:
    for name, way in (("param.mixed", 1), ("-param.mixed", -1)):
        found = index.search(sort=[name])
        values = found.values(found.columns(["param.mixed"])[0])
        present = [value for value in values if value is not None]
        assert values == present + [None] * (len(values) - len(present))
        kinds = [[v for v in present if type(v) in kind] for kind in ((int, float), (bool,), (str,))]
        assert present == [v for kind in kinds for v in sorted(kind)[::way]]


def test_versions_sort_as_versions(index: Index) -> None:
    found = index.search("parsl_version in (2025.8, 2025.10.1, 2025.10.1.dev1)", sort=["parsl_version", "name"])
    values = list(dict.fromkeys(str(v).removesuffix(".0") for v in found.values(found.columns(["parsl_version"])[0])))
    assert values == ["2025.8", "2025.10.1.dev1", "2025.10.1"]
