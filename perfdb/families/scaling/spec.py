"""What a scaling run can be asked for."""

from __future__ import annotations

import math
import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from perfdb.families.scaling.analysis.cells import Criterion, LoadUnit
from perfdb.families.scaling.analysis.search import Search
from perfdb.families.scaling.clients.saturation import Limits
from perfdb.families.scaling.plan import LoadPlan
from perfdb.families.scaling.servers.watching import EVEN, Admin, Command

MOST_WAITS = 8
# After the last session was to begin, until those that are ready take their step together.
SETTLE_S = 1.0
_GRID = re.compile(r"[1-9][0-9]{0,6}(,[1-9][0-9]{0,6}){0,31}")
_Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]


def _requests_grid(value: str) -> str:
    if not _GRID.fullmatch(value):
        raise ValueError("it is whole numbers above 0 such as 32,128,512, at most 32 of them")
    return value


def _wait_grid(value: str) -> str:
    try:
        waits = [float(word) for word in value.split(",")]
    except ValueError:
        waits = []
    if not 1 <= len(waits) <= MOST_WAITS or not all(0 <= wait <= 3600 and math.isfinite(wait) for wait in waits):
        raise ValueError(f"it is seconds from 0 to 3600 such as 1.0,5.0, at most {MOST_WAITS} of them")
    return value


class ScalingSpec(BaseModel):
    """The loads, how they are made, and when a service has borne one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    requests_grid: Annotated[str, AfterValidator(_requests_grid)] = Field(
        "32,128,512", description="sessions at once, or with --shape open sessions/s, one load after another"
    )
    wait_grid: Annotated[str, AfterValidator(_wait_grid)] = Field(
        "1.0", description="seconds that a step is asked to wait; every load is tried with each of them"
    )
    reps: Annotated[int, Field(ge=1, le=1000)] = Field(3, description="how often the whole grid is gone through")
    n: Annotated[int, Field(ge=1, le=9_999_999)] | None = Field(None, description="this one load in place of the grid")
    wait: _Seconds | None = Field(None, description="this one wait in place of the grid, seconds")
    bisect_to: Annotated[int, Field(ge=1, le=9_999_999)] | None = Field(
        None, description="search the ceiling up to this load in place of the grid, from its first number on"
    )
    mode: Literal["ws", "http", "get"] = Field(
        "ws", description="`ws`: OpenEnv's WebSocket; `http`: its HTTP; `get`: plain GET of the URL"
    )
    shape: Literal["burst", "barrier", "open", "closed"] = Field(
        "burst",
        description="`burst`: all at once; `barrier`: all open, then all step at once; `open`: arrivals at a rate, whatever "
        "becomes of them; `closed`: users who do one session after another",
    )
    poisson: bool = Field(False, description="with --shape open: arrivals at random instead of evenly spaced")
    seed: Annotated[int, Field(ge=0, lt=2**53)] = Field(1, description="of what is at random")
    ramp_s: _Seconds = Field(0.0, description="seconds over which a load is built up")
    warm_up_s: _Seconds = Field(0.0, description="seconds after that which don't count, with --shape open or closed")
    steady_s: _Seconds = Field(10.0, description="seconds that count, with --shape open or closed")
    patience_s: Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)] = Field(
        60.0, description="seconds after which a session is given up"
    )
    clients: Annotated[int, Field(ge=1, le=1000)] = Field(1, description="client processes that share each load")
    clients_on: Annotated[str, Field(min_length=1, max_length=4000)] | None = Field(
        None, description="Parsl config on whose nodes the clients run, in place of this machine: a file, or a name"
    )
    client_nodes: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        None,
        description="with --clients-on: its nodes that share the clients; as many as its blocks have, if not given",
    )
    expected_hosts: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        None, description="how many hosts should answer; fewer or more are told"
    )
    require_hosts: bool = Field(False, description="other than --expected-hosts hosts make the record invalid")
    most_spread: Annotated[float, Field(gt=0, le=1000)] = Field(
        EVEN, description="(most - fewest) / mean sessions of a host above which hosts count as unevenly loaded"
    )
    admin: Admin | None = Field(
        None,
        description="Envoy's admin, HOST:PORT; not kept (default: the URL's host, port 9901, if it is this service's)",
    )
    fault_after: Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)] | None = Field(
        None,
        description="seconds after a load's beginning at which --fault-command is run, with --shape open or closed",
    )
    fault_command: Command | None = Field(
        None, description="what kills a backend then, such as 'kill -9 4711'; run without a shell, and not kept"
    )
    least_success: Annotated[float, Field(gt=0, le=1)] = Field(0.95, description="share of sessions that must succeed")
    p99_factor: Annotated[float, Field(gt=0, le=1000)] = Field(
        2.0, description="p99 must be below this times (wait + --p99-slack-s)"
    )
    p99_slack_s: _Seconds = Field(0.5, description="see --p99-factor, seconds")
    most_lag_s: Annotated[float, Field(gt=0, le=3600)] = Field(
        0.5, description="longest that a client may stand still, or send late, for a valid record, seconds"
    )
    most_cpu_share: Annotated[float, Field(gt=0, le=1)] = Field(
        0.9, description="most of a core that a client may use in its busiest second for a valid record"
    )

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.require_hosts and self.expected_hosts is None:
            raise ValueError("--require-hosts needs --expected-hosts N: how many are required?")
        if self.require_hosts and self.mode == "get":
            raise ValueError("--require-hosts needs --mode ws or http: the answer to a plain GET names no host")
        if self.poisson and self.shape != "open":
            raise ValueError("--poisson is of arrivals: it needs --shape open")
        if self.warm_up_s and self.shape not in ("open", "closed"):
            raise ValueError("--warm-up-s needs --shape open or closed: all of another load counts")
        if self.client_nodes is not None and self.clients_on is None:
            raise ValueError("--client-nodes needs --clients-on CONFIG: nodes of what?")
        if self.client_nodes is not None and self.clients < self.client_nodes:
            raise ValueError(
                f"--clients {self.clients} are too few for --client-nodes {self.client_nodes}: each needs one"
            )
        if self.bisect_to is not None and self.bisect_to < self.loads[0]:
            raise ValueError(f"--bisect-to {self.bisect_to} is below the load to begin with, {self.loads[0]}")
        # A plan that makes no sense is refused, and the largest load is the first that is too many.
        window = self.plan("http://127.0.0.1", max(*self.loads, self.bisect_to or 1), self.waits[0]).window
        if (self.fault_after is None) != (self.fault_command is None):
            raise ValueError("--fault-after and --fault-command go together: give both, or neither")
        if self.fault_after is not None and self.bisect_to is not None:
            raise ValueError("a service with a fault has no ceiling to search: leave --bisect-to or --fault-after out")
        if self.fault_after is not None and window is None:
            raise ValueError("a fault needs --shape open or closed: a load that goes on after it")
        if self.fault_after is not None and window and not window[0] <= self.fault_after < window[1]:
            raise ValueError(
                f"--fault-after {self.fault_after:g} is not within the steady part of a load, {window[0]:g} to {window[1]:g} s "
                "after its beginning"
            )
        return self

    @property
    def loads(self) -> tuple[int, ...]:
        """The loads of the grid, the smallest first."""
        return (self.n,) if self.n is not None else tuple(sorted({int(word) for word in self.requests_grid.split(",")}))

    @property
    def waits(self) -> tuple[float, ...]:
        """The waits, seconds, the shortest first."""
        words = self.wait_grid.split(",")
        return (self.wait,) if self.wait is not None else tuple(sorted({float(word) for word in words}))

    @property
    def criterion(self) -> Criterion:
        """When a service has borne a load."""
        return Criterion(least_success=self.least_success, p99_factor=self.p99_factor, p99_slack_s=self.p99_slack_s)

    @property
    def unit(self) -> LoadUnit:
        """Of every load."""
        return "sessions/s" if self.shape == "open" else "sessions"

    @property
    def judged_by(self) -> str:
        """The phase whose p99 the criterion is of: at a barrier the wait for the others is no latency of the service."""
        return "step" if self.shape == "barrier" else "total"

    @property
    def limits(self) -> Limits:
        """What a client may be behind."""
        return Limits(send_lag_max_s=self.most_lag_s, tick_lag_max_s=self.most_lag_s, cpu_share=self.most_cpu_share)

    @property
    def window(self) -> tuple[float, float] | None:
        """The steady part of every load, seconds after its beginning; None where all of it counts."""
        return self.plan("http://127.0.0.1", self.loads[0], self.waits[0]).window

    @property
    def search(self) -> Search | None:
        """How to look for the ceiling; None where the grid says all."""
        if self.bisect_to is None:
            return None
        return Search(start=self.loads[0], largest=self.bisect_to, criterion=self.criterion)

    def plan(self, url: str, load: int, wait_s: float) -> LoadPlan:
        """One load as its clients get it."""
        timed = self.shape in ("open", "closed")
        return LoadPlan(
            url=url,
            protocol=self.mode,
            wait_s=wait_s,
            shape=self.shape,
            sessions=0 if self.shape == "open" else load,
            rate=float(load) if self.shape == "open" else 0.0,
            poisson=self.poisson,
            seed=self.seed,
            ramp_s=self.ramp_s,
            settle_s=SETTLE_S if self.shape == "barrier" else 0.0,
            warm_up_s=self.warm_up_s if timed else 0.0,
            steady_s=self.steady_s if timed else 0.0,
            timeout_s=self.patience_s,
            clients=self.clients,
        )
