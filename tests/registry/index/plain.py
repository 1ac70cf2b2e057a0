"""What a query means, said once more without SQL: a tree, judged on a record itself. None is neither true nor false."""

from __future__ import annotations

import re
import statistics
from datetime import datetime
from typing import Any

from packaging.version import InvalidVersion, Version

from perfdb.record import Record
from perfdb.registry.index.language import AllOf, Among, AnyOf, Comparison, Like, Literal, Missing, Node, Not


def holds(node: Node, record: Record) -> bool | None:
    """Whether a record is what a query asks for."""
    match node:
        case AllOf(items):
            found = [holds(item, record) for item in items]
            return False if False in found else None if None in found else True
        case AnyOf(items):
            found = [holds(item, record) for item in items]
            return True if True in found else None if None in found else False
        case Not(inner):
            inside = holds(inner, record)
            return None if inside is None else not inside
        case Missing(name):
            return value_of(record, name) is None
        case Like(name, pattern):
            value = value_of(record, name)
            return fits(pattern, value) if isinstance(value, str) else None
        case Among(name, values):
            return holds(AnyOf(tuple(Comparison(name, "==", value) for value in values)), record)
        case Comparison(name, "!=", value):
            return holds(Not(Comparison(name, "==", value)), record)
        case Comparison(name, "==", value):
            return equal(name, value_of(record, name), value)
        case Comparison(name, operator, value):
            pair = comparable(name, value_of(record, name), value)
            if pair is None:
                return None
            left, right = pair
            return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[operator]
    raise AssertionError(node)


def value_of(record: Record, name: str) -> Any:
    """What stands under a full name."""
    prefix, _, rest = name.partition(".")
    match prefix:
        case "metric":
            metric = record.metric(rest)
            return None if metric is None else statistics.median(metric.all_values)
        case "param":
            return record.params.get(rest)
        case "spec":
            return record.spec.get(rest)
        case "tag":
            return (record.tags or {}).get(rest)
        case "check":
            return next((check.passed for check in record.checks if check.name == rest), None)
        case "started_at":
            return record.started_at
        case "parsl_version":
            return record.code.measured.get("parsl")
        case "name":
            return record.run_name
    raise AssertionError(name)


def equal(name: str, value: Any, literal: Literal) -> bool | None:
    """Whether a value is what was typed."""
    if value is None:
        return None
    text = literal.text
    if name == "parsl_version":
        return bool(value == text or (version(value) and version(value) == version(text)))
    if name.startswith("check."):
        return bool(value == (text.lower() == "true"))
    if isinstance(value, datetime):
        return value == datetime.fromisoformat(text)
    bare = None if literal.quoted else number(text)
    if isinstance(value, bool):
        return not literal.quoted and text.lower() == str(value).lower()
    if isinstance(value, int | float):
        return value == (number(text) if name.startswith("metric.") else bare)
    if name.startswith("tag."):
        return value == text or (bare is not None and number(value) == bare)
    return bool(value == text)


def comparable(name: str, value: Any, literal: Literal) -> tuple[Any, Any] | None:
    """Two values that have an order, or None."""
    if value is None:
        return None
    text = literal.text
    if name == "parsl_version":
        left, right = version(value), version(text)
        return (left, right) if left and right else None
    if isinstance(value, datetime):
        return value, datetime.fromisoformat(text)
    if name.startswith("metric."):
        return value, number(text)
    bare = None if literal.quoted else number(text)
    if bare is None or name == "name":
        return (value, text) if isinstance(value, str) else None
    if isinstance(value, str) and name.startswith("tag."):
        value = number(value)
    return (value, bare) if isinstance(value, int | float) and not isinstance(value, bool) else None


def number(text: str) -> float | None:
    """The number that a text spells in plain digits."""
    if not re.fullmatch(r"[-+]?[0-9]*\.?[0-9]*([eE][-+]?[0-9]+)?", text):
        return None
    try:
        return float(text)
    except ValueError:
        return None


def version(text: str) -> Version | None:
    """The version that a text spells."""
    try:
        return Version(text)
    except InvalidVersion:
        return None


def fits(pattern: str, value: str) -> bool:
    """`%` is any text, `_` any one sign."""
    wanted = "".join({"%": ".*", "_": "."}.get(sign, re.escape(sign)) for sign in pattern)
    return re.fullmatch(wanted, value, re.DOTALL) is not None
