"""From a query's tree to a condition in SQL: names become columns of ours, values become bound parameters. Pure.

What a record lacks is neither equal to anything nor different from it, nor is its negation: only `is null` finds it.
"""

from __future__ import annotations

from datetime import datetime

from perfdb.errors import UsageError
from perfdb.registry.index.columns import Catalogue, Column, Key, Kind
from perfdb.registry.index.instants import span_of
from perfdb.registry.index.language import AllOf, Among, AnyOf, Comparison, Like, Literal, Missing, Node, Not
from perfdb.registry.index.rows import number_in
from perfdb.registry.index.versions import version_key

_SQL_TYPES = {"n": "DOUBLE", "b": "BOOLEAN", "t": "VARCHAR", "v": "VARCHAR", "i": "BIGINT"}
_EXAMPLES = {
    Kind.NUMBER: "a number, such as 8 or 2.5e3",
    Kind.FLAG: "true or false",
    Kind.INSTANT: "a date, an instant or an age, such as 2026-11, 2026-11-21T08:30 or -7d",
    Kind.VERSION: "a version, such as 2025.8",
}


class Condition:
    """A query's condition on one registry's columns.

    Attributes:
        sql: Its text: our own words, names that we gave the columns, and question marks.
        parameters: What the question marks stand for.
        names: Our name for each stored column that it reads.

    Raises:
        UsageError: the query asks for a column that is not there, or compares one with what it can't be compared with.
    """

    def __init__(self, node: Node | None, catalogue: Catalogue, now: datetime) -> None:
        self._catalogue = catalogue
        self._now = now
        self.parameters: list[str | float | bool | int] = []
        self.names: dict[Key, str] = {}
        self.sql = "TRUE" if node is None else self._node(node)

    def stored(self, column: Column, part: str) -> str:
        """The SQL that reads a part of a column."""
        key = column.keys.get(part)
        if key is None:
            return f"CAST(NULL AS {_SQL_TYPES[part]})"
        return self.names.setdefault(key, f"c{len(self.names)}")

    def _bound(self, value: str | float | bool | int) -> str:
        self.parameters.append(value)
        return "?"

    def _node(self, node: Node) -> str:
        match node:
            case AllOf(items):
                return f"({' AND '.join(map(self._node, items))})"
            case AnyOf(items):
                return f"({' OR '.join(map(self._node, items))})"
            case Not(inner):
                return f"(NOT {self._node(inner)})"
            case Missing(name):
                return f"(NOT {self._present(self._catalogue.resolve(name))})"
            case Like(name, pattern):
                return self._like(self._catalogue.resolve(name), pattern)
            case Among(name, values):
                column = self._catalogue.resolve(name)
                return f"({' OR '.join(self._equal(column, value) for value in values)})"
            case Comparison(name, operator, value):
                return self._comparison(self._catalogue.resolve(name), operator, value)

    def _present(self, column: Column) -> str:
        parts = [part for part in column.kind.parts if part != "v"]
        return f"({' OR '.join(f'{self.stored(column, part)} IS NOT NULL' for part in parts)})"

    def _like(self, column: Column, pattern: str) -> str:
        if "t" not in column.kind.parts:
            raise UsageError(f"`like` is for text, and {column.name} holds none: compare it with == or <.")
        return f"({self.stored(column, 't')} LIKE {self._bound(pattern)})"

    def _comparison(self, column: Column, operator: str, value: Literal) -> str:
        if operator == "==":
            return self._equal(column, value)
        if operator == "!=":
            return f"(NOT {self._equal(column, value)})"
        match column.kind:
            case Kind.INSTANT:
                first, after = self._span(column, value)
                stored = self.stored(column, "i")
                # Before a day is before its start; after it, from its end on. An instant's start is its end.
                if operator in ("<", ">="):
                    return f"({stored} {operator} {self._bound(first)})"
                if first == after:
                    return f"({stored} {operator} {self._bound(first)})"
                return f"({stored} {'<' if operator == '<=' else '>='} {self._bound(after)})"
            case Kind.VERSION:
                key = version_key(value.text)
                if key is None:
                    raise _unfit(column, value)
                return f"({self.stored(column, 'v')} {operator} {self._bound(key)})"
            case Kind.FLAG:
                raise UsageError(f"{column.name} is true or false: compare it with == or !=.")
            case Kind.NUMBER:
                return f"({self.stored(column, 'n')} {operator} {self._bound(self._number(column, value))})"
            case _:
                return self._ordered(column, operator, value)

    def _ordered(self, column: Column, operator: str, value: Literal) -> str:
        number = None if value.quoted else number_in(value.text)
        if number is None or column.kind is Kind.TEXT:
            return f"({self.stored(column, 't')} {operator} {self._bound(value.text)})"
        if "n" not in column.keys and column.keys:
            raise UsageError(
                f"{column.name} holds no number here, so {value.text} is neither less nor more. To compare it as text, "
                f"quote the value: {column.name} {operator} '{value.text}'."
            )
        return f"({self.stored(column, 'n')} {operator} {self._bound(number)})"

    def _equal(self, column: Column, value: Literal) -> str:
        match column.kind:
            case Kind.TEXT:
                return f"({self.stored(column, 't')} = {self._bound(value.text)})"
            case Kind.NUMBER:
                return f"({self.stored(column, 'n')} = {self._bound(self._number(column, value))})"
            case Kind.FLAG:
                if value.text.lower() not in ("true", "false"):
                    raise _unfit(column, value)
                return f"({self.stored(column, 'b')} = {self._bound(value.text.lower() == 'true')})"
            case Kind.INSTANT:
                first, after = self._span(column, value)
                stored = self.stored(column, "i")
                return f"({stored} BETWEEN {self._bound(first)} AND {self._bound(max(first, after - 1))})"
            case Kind.VERSION:
                key = version_key(value.text)
                return self._text_or(column, "v", None if key is None else key, value)
            case Kind.TAG:
                return self._text_or(column, "n", None if value.quoted else number_in(value.text), value)
            case Kind.SCALAR:
                return self._equal_scalar(column, value)

    def _text_or(self, column: Column, part: str, other: str | float | None, value: Literal) -> str:
        """Equal as it is spelled, or in what it means."""
        same = f"({self.stored(column, 't')} = {self._bound(value.text)})"
        if other is None:
            return same
        return f"({same} OR coalesce({self.stored(column, part)} = {self._bound(other)}, FALSE))"

    def _equal_scalar(self, column: Column, value: Literal) -> str:
        """A bare 8 equals the number 8 and the text '8'; in quotes only the text."""
        number = None if value.quoted else number_in(value.text)
        flag = {"true": True, "false": False}.get(value.text.lower()) if not value.quoted else None
        branches = []
        for part, wanted in (("n", number), ("b", flag), ("t", value.text)):
            if part in column.keys:
                stored = self.stored(column, part)
                equal = f"{stored} = {self._bound(wanted)}" if wanted is not None else "FALSE"
                branches.append(f"WHEN {stored} IS NOT NULL THEN {equal}")
        return f"(CASE {' '.join(branches)} END)" if branches else "CAST(NULL AS BOOLEAN)"

    def _number(self, column: Column, value: Literal) -> float:
        number = number_in(value.text)
        if number is None:
            raise _unfit(column, value)
        return number

    def _span(self, column: Column, value: Literal) -> tuple[int, int]:
        span = span_of(value.text, self._now)
        if span is None:
            raise _unfit(column, value)
        return span


def _unfit(column: Column, value: Literal) -> UsageError:
    return UsageError(f"{column.name} cannot be compared with {value.text[:200]!r}: give it {_EXAMPLES[column.kind]}.")
