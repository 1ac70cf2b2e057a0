"""The children of a throughput run: parsl-perf once a repetition, then the latency probe."""

from __future__ import annotations

import sys
from pathlib import Path

from perfdb.errors import ConfigError, UsageError
from perfdb.families.base import Children, Lab, Program
from perfdb.families.throughput.parse import SAMPLE_ON
from perfdb.families.throughput.spec import ThroughputSpec

HERE = Path(__file__).parent
PROBE = "probe"


def measure(lab: Lab, spec: ThroughputSpec) -> Children:
    """Hand them out one after another. A repetition that fails is the last: the next would fail alike.

    Raises:
        ConfigError: there is no parsl-perf beside the Parsl to be measured.
        UsageError: this release's parsl-perf lacks an option that was asked for.
    """
    if lab.setup.config.parsl_perf is None:
        raise ConfigError(
            f"no parsl-perf was found beside {lab.python.name} with Parsl {lab.setup.config.parsl_version}. It comes with "
            "`pip install parsl` since 2023.10.16: install it there, or choose another with --parsl VERSION."
        )
    try:
        flags = spec.parsl_perf_flags(lab.setup.config.parsl_perf_flags)
    except ValueError as error:
        raise UsageError(
            f"{error} (Parsl {lab.setup.config.parsl_version}). Leave that option out, or measure a newer Parsl with --parsl."
        ) from error
    # Ours in place of the user's file: it loads theirs, and gives the run a folder of its own.
    argv = (str(lab.setup.config.parsl_perf), "--config", str(HERE / "child" / "parsl_perf_config.py"), *flags)
    for repetition in range(1, spec.reps + 1):
        done = yield Program(f"rep-{repetition}", (str(lab.python), *argv), sample_on=SAMPLE_ON)
        if done.log.exit.code != 0:
            return
    if spec.probe:
        facts = Path(sys.modules["perfdb.capture"].__path__[0]) / "facts.py"
        env = {"PERFDB_FACTS": str(facts), "PERFDB_HOST_KEY": lab.host_key, "PERFDB_RESOURCES": spec.resources or "{}"}
        yield Program(PROBE, (str(lab.python), str(HERE / "child" / "probe.py")), env=env)
