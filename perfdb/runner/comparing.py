"""A comparison into MLflow, with its picture. Whatever goes wrong there, the comparison stands."""

from __future__ import annotations

import tempfile
from pathlib import Path

from perfdb.compare.comparison import Comparison
from perfdb.errors import PerfdbError
from perfdb.report.charts import ratios
from perfdb.report.charts.drawing import svg
from perfdb.runner.mirroring import Listener, page_of
from perfdb.settings import Settings
from perfdb.tracking import Target
from perfdb.tracking.comparison import log_comparison


def show_comparison(
    settings: Settings, comparison: Comparison, listener: Listener, *, start_server: bool
) -> str | None:
    """Have a comparison shown in MLflow as a run of its own; the same one twice is one run.

    Args:
        start_server: Whether to start the local server, so that there is a page to look at.

    Returns:
        The run's page; None where there is none to look at, or MLflow did not take it, which the listener then hears.
    """
    with tempfile.TemporaryDirectory(prefix="perfdb-comparison-") as folder:
        chart: Path | None = None
        if any(metric.interval for case in comparison.cases for metric in case.metrics):
            chart = Path(folder) / "ratios.svg"
            others = " and ".join(side.label for side in comparison.sides[1:])
            try:
                chart.write_text(
                    svg(ratios(comparison, title=f"{others} against {comparison.sides[0].label}", band=comparison.band))
                )
            except (OSError, ValueError):
                chart = None  # the numbers are what counts
        try:
            result = log_comparison(Target.of(settings), comparison, chart)
        except PerfdbError as error:
            listener.warn(str(error))
            return None
    return page_of(settings, result, listener, start_server=start_server)
