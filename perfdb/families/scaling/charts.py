"""What is worth a look in scaling runs."""

from perfdb.families.charts import ChartDescription, RepetitionsChart

CHARTS: tuple[ChartDescription, ...] = (
    RepetitionsChart(
        "latencies",
        "Latency at the largest load, phase by phase",
        "Median and 99th percentile of each phase, a point for each repetition.",
        (
            "connect_p50_s",
            "connect_p99_s",
            "reset_p50_s",
            "reset_p99_s",
            "step_p50_s",
            "step_p99_s",
            "total_p50_s",
            "total_p99_s",
        ),
    ),
    RepetitionsChart(
        "success",
        "Sessions that succeeded at the largest load",
        "The share of sessions that came to their end, a point for each repetition.",
        ("success_share",),
    ),
)
