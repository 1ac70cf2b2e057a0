"""Records at their places on a chart of scaling: where along the axis, on which line, and with which values. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from perfdb.compare.dimensions import dimensions_of
from perfdb.compare.settings import PREFIX, telling
from perfdb.record import Metric, Record, Scalar
from perfdb.report.charts.scaling import Place
from perfdb.report.charts.versions import spelled

# What always tells lines apart.
LINES = ("config", "machine", "parsl_version")


def places_of(
    records: Sequence[Record], metric: str, x: str, lines: Sequence[str], named: Sequence[str] = ()
) -> tuple[list[Place], str]:
    """A chart's points, and what all of its lines share, in words.

    Args:
        records: Each has the metric and a number for `x`.
        x: A parameter, or with `spec.` before its name what was asked for.
        lines: What tells lines apart: `config`, `machine`, `parsl_version`, or a parameter.
        named: Those of `lines` that stand in each line's name although all lines share them.
    """
    keys = {tuple(fact(record, name) for name in lines): None for record in records}
    shown = [i for i, name in enumerate(lines) if name in named or len({key[i] for key in keys}) > 1]
    together: dict[tuple[str, float], list[Metric]] = {}
    for record in records:
        found, at = record.metric(metric), number(record, x)
        assert found is not None
        assert at is not None
        key = [fact(record, name) for name in lines]
        line = ", ".join(filter(None, (key[i] for i in shown))) or "all"
        together.setdefault((line, at), []).append(found)
    places = [Place(line, at, values_of(metrics), len(metrics)) for (line, at), metrics in together.items()]
    first = next(iter(keys), ())
    return places, ", ".join(sorted({text for i, text in enumerate(first) if i not in shown} - {""}))


def values_of(metrics: Sequence[Metric]) -> tuple[float, ...]:
    """One for each unit of analysis: a lone record's repetitions, or the median of each of several records."""
    if len(metrics) == 1:
        return tuple(metrics[0].all_values)
    return tuple(median(metric.all_values) for metric in metrics)


def others(records: Sequence[Record], x: str) -> list[str]:
    """What else was set differently among records of one config, machine and Parsl, and so must tell lines apart.

    What always equals `x` goes along with it, as the least number of blocks with the greatest.
    """
    groups: dict[tuple[str, ...], list[Record]] = {}
    for record in records:
        groups.setdefault(tuple(fact(record, name) for name in LINES), []).append(record)
    found: set[str] = set()
    for group in groups.values():
        values: dict[str, set[Scalar]] = {}
        for record in group:
            for name, value in _settings(record):
                values.setdefault(name, set()).add(value)
        differing = {name for name, known in values.items() if len(known - {None}) > 1}
        settings = telling([record.environment.scheduler_settings or {} for record in group])
        differing |= {PREFIX + name for name in settings}
        found |= {name for name in differing if name != x and _counts(group, name) and not alike(group, name, x)}
    return sorted(found)


def alike(records: Sequence[Record], name: str, x: str) -> bool:
    """Whether two parameters are the same number in every record."""
    return all(number(record, name) == number(record, x) for record in records)


def fact(record: Record, name: str) -> str:
    """What a record says about itself under this name, as text; "" for nothing."""
    if name == "config":
        return record.config.name if record.config else ""
    if name == "machine":
        return record.environment.machine
    if name == "parsl_version":
        measured = record.code.measured
        known = measured.get("parsl") or measured.get("parsl_source")
        return f"Parsl {spelled(measured.get('parsl'), measured.get('parsl_source'))}" if known else ""
    value = asked(record, name)
    return "" if value is None else f"{name} {value}"


def number(record: Record, name: str) -> float | None:
    """A parameter as a number; None where it is none."""
    value = asked(record, name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def asked(record: Record, name: str) -> Scalar:
    """A parameter of the config, or with `spec.` before its name one of what was asked for, or a scheduler's setting."""
    if name.startswith("spec."):
        return record.spec.get(name.removeprefix("spec."))
    if name.startswith(PREFIX):
        return (record.environment.scheduler_settings or {}).get(name.removeprefix(PREFIX))
    return record.params.get(name.removeprefix("param."))


def _settings(record: Record) -> list[tuple[str, Scalar]]:
    return [*record.params.items(), *((f"spec.{name}", value) for name, value in record.spec.items())]


def _counts(records: Sequence[Record], name: str) -> bool:
    """Whether it may move a number: how often something was repeated does not."""
    first = next(record for record in records if asked(record, name) is not None)
    return (name if name.startswith(("spec.", PREFIX)) else f"param.{name}") in dimensions_of(first)
