"""A comparison as a run of its own in MLflow: its table, its ratios, its picture; the same one twice is one run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from perfdb.compare.comparison import Comparison, MetricComparison
from perfdb.errors import TrackingError
from perfdb.record import canonical_bytes
from perfdb.record.canonical import sha256_hex
from perfdb.tracking.door import alone, words_for
from perfdb.tracking.mapping import NOTE_TAG, fit_key, fit_tags, fit_value
from perfdb.tracking.mirror import MirrorResult, artifacts_at, experiment_of, tagged
from perfdb.tracking.note import text
from perfdb.tracking.process import IMPORT_LIMIT_S, MirrorProcess, TooLate
from perfdb.tracking.target import Target
from perfdb.units import quantity

EXPERIMENT = "comparisons"
COMPARISON_TAG = "perfdb.comparison"
STATE_TAG = "perfdb.comparison.state"
TABLE_FILE = "comparison_table.json"
# A comparison waits for nobody for long: it is told on the terminal anyway.
LIMIT_S = 60.0
COLUMNS = (
    "metric",
    "case",
    "side",
    "baseline median",
    "median",
    "unit",
    "n baseline",
    "n",
    "ratio",
    "low",
    "high",
    "p adjusted",
    "Cliff's delta",
    "verdict",
)


def log_comparison(target: Target, comparison: Comparison, chart: Path | None = None) -> MirrorResult:
    """Have a comparison shown in MLflow, in the experiment `comparisons`.

    Args:
        chart: A picture of it, SVG.

    Raises:
        TrackingError: MLflow did not take it; the comparison itself stands.
    """
    child = MirrorProcess(target, request_timeout_s=10, retries=1)
    try:
        for stage in ("alive", "ready"):
            if stage not in (answer := child.read(IMPORT_LIMIT_S)):
                raise TrackingError(_words(answer["error"]))
        job = {
            "do": "comparison",
            "document": comparison.model_dump(mode="json"),
            "chart": str(chart) if chart else None,
        }
        child.send({**job, "limit_s": LIMIT_S, "wait_s": LIMIT_S / 2, "queue_s": None})
        answer = child.read(LIMIT_S)
    except TooLate:
        raise TrackingError(
            f"MLflow did not take the comparison within {LIMIT_S:g} s. It stands as it was told."
        ) from None
    finally:
        child.kill()
    if "error" in answer:
        raise TrackingError(_words(answer["error"]))
    return MirrorResult(**answer)


def _words(paragraph: str) -> str:
    from perfdb.tracking.faults import SYNC_HINT

    return paragraph.replace(SYNC_HINT, "The comparison stands as it was told; the same command sends it again")


def write_comparison(
    client: Any, target: Target, comparison: Comparison, chart: Path | None, *, wait_s: float
) -> MirrorResult:
    """What `log_comparison` does, in the process that has MLflow."""
    from mlflow.entities import Metric, Param, RunTag

    digest = sha256_hex(canonical_bytes(comparison.model_dump(mode="json")))
    with words_for(target):
        experiment_id = experiment_of(client, target, EXPERIMENT, wait_s)
        with alone(target, wait_s):
            runs = tagged(client, experiment_id, COMPARISON_TAG, digest)
            active = [run for run in runs if run.info.lifecycle_stage == "active"]
            known = next((run for run in active if run.data.tags.get(STATE_TAG) == "complete"), None)
            if known is not None:
                return MirrorResult(known.info.run_id, experiment_id, "unchanged")
            run = (
                active[0]
                if active
                else client.create_run(experiment_id, run_name=_name(comparison), tags={COMPARISON_TAG: digest})
            )
            run_id = run.info.run_id
            tags = fit_tags(
                {**_tags(comparison), "mlflow.loggedArtifacts": f'[{{"path": "{TABLE_FILE}", "type": "table"}}]'}
            )
            client.log_batch(
                run_id,
                metrics=[Metric(fit_key(key), value, run.info.start_time, 0) for key, value in _ratios(comparison)],
                params=[Param(fit_key(key), fit_value(value, 6000)) for key, value in _params(comparison)],
                tags=[RunTag(key, value) for key, value in tags.items()],
            )
            client.log_dict(run_id, table_of(comparison), TABLE_FILE)
            client.log_dict(run_id, comparison.model_dump(mode="json"), "comparison.json")
            if chart is not None:
                artifacts_at(target, run.info.artifact_uri).log_artifact(str(chart))
            client.set_terminated(run_id)
            client.set_tag(run_id, STATE_TAG, "complete")
    return MirrorResult(run_id, experiment_id, "updated" if active else "created")


def table_of(comparison: Comparison) -> dict[str, Any]:
    """The table as MLflow's own `log_table` would write it: column names, and rows."""
    rows = []
    for case in comparison.cases:
        alike = ", ".join(f"{name}={value}" for name, value in case.alike.items() if value is not None)
        for m in case.metrics:
            known = m.interval
            ends = [known.ratio, known.low, known.high] if known else [None, None, None]
            rows.append(
                [
                    m.metric,
                    alike,
                    comparison.sides[case.other].label,
                    m.baseline.median,
                    m.other.median,
                    m.unit,
                    m.baseline.n,
                    m.other.n,
                    *ends,
                    m.p_adjusted,
                    m.cliffs_delta,
                    m.verdict,
                ]
            )
    return {"columns": list(COLUMNS), "data": rows}


def _name(comparison: Comparison) -> str:
    others = " and ".join(side.label for side in comparison.sides[1:])
    return fit_value(f"{others} against {comparison.sides[0].label}", 240)


def _params(comparison: Comparison) -> Iterator[tuple[str, str]]:
    yield "compared", ", ".join(comparison.compared) or "nothing"
    yield "ignored", ", ".join(each.dimension for each in comparison.ignored) or "nothing"
    for number, side in enumerate(comparison.sides):
        yield "baseline" if number == 0 else f"side.{number}", side.label or "unnamed"
        yield f"records.{number}", str(len(side.records))


def _ratios(comparison: Comparison) -> Iterator[tuple[str, float]]:
    """`warm_tasks_per_s.ratio`, `.low` and `.high`; with several sides or cases, under `side1/` and `case1/`."""
    for number, case in enumerate(comparison.cases, start=1):
        prefix = f"side{case.other}/" if len(comparison.sides) > 2 else ""
        prefix += f"case{number}/" if len(comparison.cases) > 1 else ""
        for metric in case.metrics:
            if metric.interval is not None:
                for end in ("ratio", "low", "high"):
                    yield f"{prefix}{metric.metric}.{end}", float(getattr(metric.interval, end))


def _tags(comparison: Comparison) -> dict[str, str]:
    tags = {
        NOTE_TAG: note_on(comparison),
        "mlflow.source.name": "perfdb",
        "mlflow.source.type": "LOCAL",
    }
    for number, side in enumerate(comparison.sides):
        tags[f"perfdb.records.{number}"] = ",".join(side.records)
    verdicts = sorted({metric.verdict for case in comparison.cases for metric in case.metrics})
    return {**tags, "perfdb.verdicts": ", ".join(verdicts) or "none"}


def note_on(comparison: Comparison) -> str:
    """Markdown, with every text of the records escaped: sides, warnings first, then the table."""
    sides = [
        f"- {'**baseline**' if number == 0 else '**other**'}: {text(side.label)}, {len(side.records)} records"
        + "".join(f", {len(ids)} {text(why)} left out" for why, ids in side.left_out.items())
        for number, side in enumerate(comparison.sides)
    ]
    rows = [_row(comparison, case.other, metric) for case in comparison.cases for metric in case.metrics]
    table = ["| metric | baseline | other | ratio | verdict |", "|---|---|---|---|---|", *rows] if rows else []
    warnings = [f"- {text(warning)}" for warning in comparison.warnings]
    return "\n\n".join("\n".join(part) for part in (sides, warnings, table) if part)


def _row(comparison: Comparison, other: int, metric: MetricComparison) -> str:
    known = metric.interval
    ratio = (
        f"{known.ratio:.3f} ({known.low:.3f} to {known.high:.3f}, {known.confidence:.0%})" if known else "no interval"
    )
    side = f", {text(comparison.sides[other].label)}" if len(comparison.sides) > 2 else ""
    medians = [f"{text(quantity(v.median, metric.unit))}, n = {v.n}" for v in (metric.baseline, metric.other)]
    return f"| {text(metric.metric)}{side} | {' | '.join(medians)} | {ratio} | {metric.verdict} |"
