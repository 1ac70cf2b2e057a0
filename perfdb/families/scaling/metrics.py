"""What each metric of a scaling run is."""

from perfdb.families.scaling.spec import MOST_WAITS
from perfdb.record import MetricDefinition

_CLOCK = "clock: the client's perf_counter, microseconds, to three digits"
_AT = "at the repetition's largest load"
_STEADY = ", with shape open or closed of those scheduled in the steady part"


def prefix_of(place: int) -> str:
    """What names begin with, by the place of the wait among all of the run, the shortest first."""
    return "" if place == 0 else f"wait_{place + 1}_"


def _of_wait(place: int) -> dict[str, MetricDefinition]:
    wait = "" if place == 0 else f"; of wait number {place + 1} of the run, by length"
    defined = {
        **{
            name: MetricDefinition(
                unit,
                "higher",
                f"largest load{what} that was borne, with all smaller ones that were tried: by share that succeeded and p99, as the run's "
                "criterion says; clients that were saturated leave a load out. None of a run in which a repetition bore all that it "
                "tried, or nothing",
            )
            for name, (unit, what) in _CEILINGS.items()
        },
        "largest_load": MetricDefinition(
            "sessions", "none", "largest load that was tried in a repetition; with shape open, arrivals a second"
        ),
        "success_share": MetricDefinition("1", "higher", f"sessions that succeeded over all{_STEADY}, {_AT}", 0, 1),
        "sessions_per_s": MetricDefinition(
            "sessions/s",
            "higher",
            f"sessions that succeeded{_STEADY} over its length, else over the load's duration, {_AT}; {_CLOCK}",
        ),
        "peak_sessions_per_s": MetricDefinition(
            "sessions/s", "higher", f"the same at the load where it was the highest; {_CLOCK}"
        ),
        "fewest_hosts": MetricDefinition(
            "hosts",
            "none",
            "distinct hosts that answered, at the load where these were the fewest; of loads that any answered",
        ),
        "peak_sessions": MetricDefinition("sessions", "none", f"most sessions open at once, {_AT}"),
        "peak_steps": MetricDefinition("sessions", "none", f"most steps under way at once, {_AT}"),
        **{
            f"{role}_{name}": MetricDefinition(unit, "none", f"{what} of {whose}, {_AT}; {_SEEN}")
            for role, whose in _ROLES.items()
            for name, (unit, what) in _RESOURCES.items()
        },
        "requests_spread": MetricDefinition(
            "1",
            "lower",
            f"largest less smallest number of requests that the balancer sent to a backend, over their mean, {_AT}",
        ),
        "time_to_eject_s": MetricDefinition(
            "s",
            "lower",
            f"from the beginning of the fault's command until the balancer told of a healthy backend less, {_AT}; {_ASKED}",
        ),
        "time_to_recover_s": MetricDefinition(
            "s",
            "lower",
            "from the beginning of the fault's command until the moment that the last lost session was scheduled for, 0 if that was "
            f"before; only if every session of another second succeeded, {_AT}",
        ),
        "time_to_readmit_s": MetricDefinition(
            "s",
            "lower",
            f"from the beginning of the fault's command until, after that, all backends were healthy again, {_AT}; {_ASKED}",
        ),
        "sessions_lost": MetricDefinition(
            "sessions", "lower", f"sessions that failed at or after the beginning of the fault's command, {_AT}"
        ),
        **{
            f"{phase}_{name}_s": MetricDefinition(
                "s", "lower", f"{word} of {what}, over sessions that succeeded{_STEADY}, nearest rank, {_AT}; {_CLOCK}"
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
    "connect": "opening a connection, WebSocket's upgrade included",
    "reset": "a session's reset",
    "step": "a session's step, the asked wait included, with shape barrier from the barrier on",
    "close": "a session's close, of those that closed well",
    "total": "a whole session, from the moment it was scheduled for",
}
_CEILINGS = {"ceiling": ("sessions", " of sessions"), "ceiling_per_s": ("sessions/s", " of arrivals a second")}
_ROLES = {"backend": "the backend with the most", "balancer": "the balancer"}
_RESOURCES = {
    "cpu_share": (
        "1",
        "CPU seconds a second, 1 being one core, in ticks of 10 ms, of all processes, and of what these started once it ended and they "
        "waited for it (of one that none of them waits for, what it used after the last look at it is lost),",
    ),
    "memory_bytes": ("bytes", "most resident memory of all processes together, pages that they share counted in each,"),
    "threads": ("threads", "most threads of all processes"),
}
_SEEN = (
    "its processes are those that hold its listening socket, looked at once a second; elsewhere as the server tells it"
)
_ASKED = "the balancer is asked every 20 ms until then, every 0.1 s afterwards"
_PERCENTILES = {"p50": "median", "p95": "95th percentile", "p99": "99th percentile"}
METRICS = {name: definition for place in range(MOST_WAITS) for name, definition in _of_wait(place).items()}
HEADLINE = (
    "ceiling",
    "ceiling_per_s",
    "peak_sessions_per_s",
    "largest_load",
    "success_share",
    "total_p50_s",
    "total_p99_s",
    "sessions_per_s",
    "peak_steps",
    "fewest_hosts",
    "sessions_lost",
    "time_to_eject_s",
    "time_to_recover_s",
)
