"""What each metric of a throughput run is."""

from perfdb.record import MetricDefinition

_CLOCK = "clock: the parsl-perf process's own (time.time)"
_PROBE = "clock: time.perf_counter of the probe on the submit host"

METRICS = {
    "warm_tasks_per_s": MetricDefinition(
        "tasks/s",
        "higher",
        f"tasks of all iterations after the first over the sum of their run times, first submission to last result; {_CLOCK}",
    ),
    "submission_tasks_per_s": MetricDefinition(
        "tasks/s",
        "higher",
        f"tasks of all iterations after the first over the time it took to submit them; {_CLOCK}",
    ),
    "cold_start_s": MetricDefinition(
        "s",
        "lower",
        "run time of the first iteration, first submission to last result: contains the wait in a queue, the start of the "
        f"blocks and its own few tasks; {_CLOCK}",
    ),
    "queue_wait_s": MetricDefinition(
        "s",
        "lower",
        "of the first block's job, from its submission to its start; the batch system's own times, resolution 1 s",
    ),
    "start_up_s": MetricDefinition(
        "s", "lower", "cold_start_s less queue_wait_s: what starting takes once the machine has granted the node"
    ),
    "run_time_s": MetricDefinition("s", "none", f"run time of all iterations together; {_CLOCK}"),
    "task_count": MetricDefinition("tasks", "none", "tasks of all iterations together"),
    "iteration_count": MetricDefinition("iterations", "none", "iterations, the cold one included"),
    "submission_share": MetricDefinition(
        "1", "none", "share of the warm run time that was spent submitting; near 1, the submit host is the limit"
    ),
    "cpu_s": MetricDefinition(
        "s", "none", "CPU time of parsl-perf and all it started on the submit host, from its start to its end"
    ),
    "iteration_tasks_per_s": MetricDefinition(
        "tasks/s", "higher", f"one iteration's tasks over its run time; {_CLOCK}"
    ),
    "iteration_submission_tasks_per_s": MetricDefinition(
        "tasks/s", "higher", f"one iteration's tasks over its submission time; {_CLOCK}"
    ),
    "iteration_run_time_s": MetricDefinition("s", "none", f"one iteration, first submission to last result; {_CLOCK}"),
    "iteration_task_count": MetricDefinition("tasks", "none", "tasks of one iteration"),
    **{
        f"{stem}_{name}_s": MetricDefinition("s", "lower", f"{name[1:]}th percentile of {what}; {_PROBE}")
        for stem, what in (
            ("task_latency", "submission to result in hand, one task at a time on warm workers"),
            ("chain_task_latency", "predecessor's result to own result in a chain of dependent tasks"),
            ("burst_task_latency", "submission to result of tasks that were submitted all at once"),
        )
        for name in ("p50", "p95", "p99")
    },
}

HEADLINE = (
    "warm_tasks_per_s",
    "submission_tasks_per_s",
    "cold_start_s",
    "queue_wait_s",
    "start_up_s",
    "task_latency_p50_s",
    "task_latency_p95_s",
    "task_latency_p99_s",
)
