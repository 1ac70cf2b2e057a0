"""What the numbers of imported runs are: each metric's unit, direction and definition, by kind of source."""

from __future__ import annotations

from collections.abc import Mapping

from perfdb.record import MetricDefinition

PARSL_PERF = "parsl-perf-archive"
MLFLOW = "mlflow"
OPENENV = "openenv"
FLUENCE = "fluence"
CSV = "csv"

_ARCHIVE = "as the archive's wrapper of parsl-perf logged it, from what parsl-perf printed; clock: parsl-perf's own"
_LOAD = "clock: the load generator's own"
_CLIENT = "clock: the client's that submitted the jobs"
_TOTAL = (
    "of one job; in tables from its submission to its end, in logs from when it was first seen running to its end, as its "
    f"source took it; {_CLIENT}"
)

THROUGHPUT: Mapping[str, MetricDefinition] = {
    "num_iterations": MetricDefinition("iterations", "none", f"iterations that parsl-perf ran; {_ARCHIVE}"),
    "num_tasks": MetricDefinition("tasks", "none", f"tasks that both rates count; {_ARCHIVE}"),
    "submission_s": MetricDefinition("s", "lower", f"time to submit num_tasks tasks; {_ARCHIVE}"),
    "submission_tps": MetricDefinition("tasks/s", "higher", f"num_tasks over submission_s; {_ARCHIVE}"),
    "runtime_s": MetricDefinition(
        "s", "none", f"first submission to last result of num_tasks tasks, whose number parsl-perf chose; {_ARCHIVE}"
    ),
    "runtime_tps": MetricDefinition("tasks/s", "higher", f"num_tasks over runtime_s; {_ARCHIVE}"),
}


def _with_spread(name: str, text: str) -> dict[str, MetricDefinition]:
    stem = name.removesuffix("_s")
    return {
        name: MetricDefinition("s", "lower", text),
        f"{stem}_mean_s": MetricDefinition("s", "lower", f"arithmetic mean of the jobs' {name}"),
        f"{stem}_sd_s": MetricDefinition(
            "s", "none", f"sample standard deviation (over n - 1) of the jobs' {name}; from two jobs on"
        ),
    }


SCHEDULERS: Mapping[str, MetricDefinition] = {
    **_with_spread("total_time_s", _TOTAL),
    **_with_spread("wall_time_s", "of one job: the application's own wall time as it printed it, resolution 1 s"),
    **_with_spread("wait_s", f"of one job: from its submission to when it was first seen running; {_CLIENT}"),
    **_with_spread("turnaround_s", f"of one job: from its submission to its end; {_CLIENT}"),
}

# The columns of an OpenEnv summary that are numbers of a repetition, with the name each has in a record.
OPENENV_COLUMNS: Mapping[str, str] = {
    "successful": "successful_requests",
    "failed": "failed_requests",
    "error_rate": "error_rate",
    "total_wall_time": "wall_time_s",
    "requests_per_second": "requests_per_s",
    "effective_concurrency": "effective_concurrency",
    "unique_pids": "unique_pids",
    "unique_sessions": "unique_sessions",
    "unique_hosts": "unique_hosts",
    "total_min": "total_min_s",
    "total_max": "total_max_s",
    "total_avg": "total_avg_s",
    **{f"{part}_p{p}": f"{part}_p{p}_s" for part in ("connect", "reset", "step") for p in (50, 95, 99)},
    **{f"total_p{p}": f"total_p{p}_s" for p in (50, 90, 95, 99)},
}
OPENENV_PERCENTILES: Mapping[str, tuple[int, ...]] = {
    "connect": (50, 95, 99),
    "reset": (50, 95, 99),
    "step": (50, 95, 99),
    "total": (50, 90, 95, 99),
}
_PARTS = {
    "connect": "the time to connect",
    "reset": "the reply to a reset",
    "step": "the reply to a step, its wait included",
    "total": "a whole request, connecting included",
}

SCALING: Mapping[str, MetricDefinition] = {
    "successful_requests": MetricDefinition("requests", "none", "requests of a repetition that succeeded"),
    "failed_requests": MetricDefinition("requests", "lower", "requests of a repetition that failed"),
    "error_rate": MetricDefinition("1", "lower", "failed requests over all requests of a repetition", most=1.0),
    "wall_time_s": MetricDefinition("s", "none", f"first request to last reply of a repetition; {_LOAD}"),
    "requests_per_s": MetricDefinition(
        "requests/s", "higher", f"requests of a repetition over its wall time, as its source counted them; {_LOAD}"
    ),
    "effective_concurrency": MetricDefinition("requests", "higher", "as its source computed it; it may count failures"),
    "unique_pids": MetricDefinition("processes", "none", "distinct processes that answered"),
    "unique_sessions": MetricDefinition("sessions", "none", "distinct sessions that answered"),
    "unique_hosts": MetricDefinition("hosts", "none", "distinct hosts that answered"),
    "total_min_s": MetricDefinition("s", "lower", f"shortest successful request; {_LOAD}"),
    "total_max_s": MetricDefinition("s", "lower", f"longest successful request; {_LOAD}"),
    "total_avg_s": MetricDefinition("s", "lower", f"mean successful request; {_LOAD}"),
    **{
        f"{part}_p{p}_s": MetricDefinition(
            "s", "lower", f"{p}th percentile of {_PARTS[part]}, of successes, as its source computed it; {_LOAD}"
        )
        for part, percents in OPENENV_PERCENTILES.items()
        for p in percents
    },
    **{
        f"recomputed_{part}_p{p}_s": MetricDefinition(
            "s",
            "lower",
            f"{p}th percentile of {_PARTS[part]}, of successes, recomputed from the raw rows of a repetition by linear "
            f"interpolation; {_LOAD}",
        )
        for part, percents in OPENENV_PERCENTILES.items()
        for p in percents
    },
}

# None: the metrics are of the source's own design. Of a table, unit and direction are what the mapping file says; of an
# MLflow, which knows neither, the unit is "" and the direction "none", unless the run has exactly parsl-perf's six metrics.
DEFINITIONS: Mapping[str, Mapping[str, MetricDefinition] | None] = {
    PARSL_PERF: THROUGHPUT,
    MLFLOW: None,
    OPENENV: SCALING,
    FLUENCE: SCHEDULERS,
    CSV: None,
}


def source_of(kind: str) -> str:
    """The kind that a run of this kind of source is known again by: an MLflow's runs may come in by either of two."""
    return PARSL_PERF if kind == MLFLOW else kind


# What to show first, by kind of source. Of a source of its own design nobody knows.
HEADLINES: Mapping[str, tuple[str, ...]] = {
    PARSL_PERF: ("runtime_tps", "submission_tps"),
    OPENENV: ("requests_per_s", "total_p50_s", "total_p99_s", "error_rate"),
    FLUENCE: ("total_time_s", "wait_s", "turnaround_s"),
}
