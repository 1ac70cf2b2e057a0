"""What is worth a look in throughput runs."""

from perfdb.families.charts import ChartDescription, IterationsChart, RepetitionsChart, SamplesChart, ScalingChart

CHARTS: tuple[ChartDescription, ...] = (
    RepetitionsChart(
        "rates",
        "Rates, repetition by repetition",
        "How far the repetitions of the two rates lie apart: each point is a parsl-perf of its own.",
        ("warm_tasks_per_s", "submission_tasks_per_s"),
    ),
    IterationsChart(
        "iterations",
        "Rate by iteration",
        "Whether the rate settles: the first iteration is the cold one, and warm ones should agree.",
        "iteration_tasks_per_s",
    ),
    SamplesChart(
        "latency",
        "Task latency",
        "The share of tasks that had come back after so long: one at a time, in a chain, and all submitted at once.",
        "latency_s",
        "s",
        by="mode",
        labels={"serial": "one at a time", "chain": "in a chain", "burst": "all at once"},
    ),
    RepetitionsChart(
        "start",
        "Start, repetition by repetition",
        "What the first iteration took, and what of it was the wait in a queue.",
        ("cold_start_s", "queue_wait_s", "start_up_s"),
    ),
    ScalingChart(
        "scaling",
        "Throughput against nodes, workers and payload",
        "How the rate of warm iterations grows with what is varied.",
        "warm_tasks_per_s",
        (
            "provider.nodes_per_block",
            "provider.max_blocks",
            "executor.max_workers_per_node",
            "executor.max_threads",
            "executor.cores_per_worker",
            "spec.argsize",
        ),
    ),
)
