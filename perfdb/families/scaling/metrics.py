"""What each metric of a scaling run is."""

from perfdb.families.scaling.spec import MOST_WAITS
from perfdb.record import MetricDefinition

_CLOCK = "clock: the client's perf_counter, microseconds, to three digits"
_AT = "at the repetition's largest load"


def prefix_of(place: int) -> str:
    """What names begin with, by the place of the wait among all of the run, the shortest first."""
    return "" if place == 0 else f"wait_{place + 1}_"


def _of_wait(place: int) -> dict[str, MetricDefinition]:
    wait = "" if place == 0 else f"; of wait number {place + 1} of the run, by length"
    defined = {
        "largest_load": MetricDefinition(
            "sessions", "none", "largest load that was tried in a repetition; with shape open, arrivals a second"
        ),
        "success_share": MetricDefinition("1", "higher", f"sessions that succeeded over all, {_AT}", 0, 1),
        "sessions_per_s": MetricDefinition(
            "sessions/s", "higher", f"sessions that succeeded over the load's duration, {_AT}; {_CLOCK}"
        ),
        "peak_sessions_per_s": MetricDefinition(
            "sessions/s", "higher", f"the same at the load where it was the highest; {_CLOCK}"
        ),
        "fewest_hosts": MetricDefinition(
            "hosts", "none", "distinct hosts that answered, at the load where these were the fewest"
        ),
        "peak_sessions": MetricDefinition("sessions", "none", f"most sessions open at once, {_AT}"),
        "peak_steps": MetricDefinition("sessions", "none", f"most steps under way at once, {_AT}"),
        **{
            f"{phase}_{name}_s": MetricDefinition(
                "s", "lower", f"{word} of {what}, over sessions that succeeded, nearest rank, {_AT}; {_CLOCK}"
            )
            for phase, what in _PHASES.items()
            for name, word in _PERCENTILES.items()
        },
    }
    return {
        f"{prefix_of(place)}{name}": MetricDefinition(d.unit, d.direction, d.definition + wait, d.least, d.most)
        for name, d in defined.items()
    }


_PHASES = {
    "connect": "opening a connection",
    "reset": "a session's reset",
    "step": "a session's step, the asked wait included",
    "total": "a whole session, from the moment it was scheduled for",
}
_PERCENTILES = {"p50": "median", "p95": "95th percentile", "p99": "99th percentile"}
METRICS = {name: definition for place in range(MOST_WAITS) for name, definition in _of_wait(place).items()}
HEADLINE = (
    "largest_load",
    "success_share",
    "total_p50_s",
    "total_p99_s",
    "sessions_per_s",
    "peak_steps",
    "fewest_hosts",
)
