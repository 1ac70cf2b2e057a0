"""What a load is to be: the JSON that every client of it gets in PERFDB_LOAD_PLAN."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Protocol = Literal["ws", "http", "get"]
Shape = Literal["burst", "barrier", "open", "closed"]
_Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
MOST_SESSIONS = 1_000_000
LONGEST_URL = 2000


class LoadPlan(BaseModel):
    """One load on one service.

    Attributes:
        url: `http://host:port`, with a path where the service lies below one; for `get` the very address.
        protocol: `ws` is OpenEnv's WebSocket, `http` its HTTP, `get` plain GET.
        wait_s: What a step asks for.
        shape: `burst`: `sessions` begin at once. `barrier`: they begin evenly over `ramp_s`, and `settle_s` later those that
            are ready take their step at once. `open`: they arrive at `rate`, whatever becomes of them. `closed`: `sessions`
            users, who begin evenly over `ramp_s`, do one after another.
        rate: Arrivals a second of all clients together.
        poisson: Whether arrivals are a Poisson process, by `seed`; else they are evenly spaced.
        ramp_s, warm_up_s, steady_s: The rate rises from 0, stays, and stays while it counts.
        timeout_s: Patience with each session, from its beginning; with a barrier from there.
        clients: How many processes share it; each does its part, the same whoever does the others.
        begin_at: When, as epoch seconds; None: as soon as those that one program starts are ready.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    protocol: Protocol = "ws"
    wait_s: _Seconds = 1.0
    shape: Shape
    sessions: Annotated[int, Field(ge=0, le=MOST_SESSIONS)] = 0
    rate: Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)] = 0.0
    poisson: bool = False
    seed: Annotated[int, Field(ge=0, lt=2**53)] = 0
    ramp_s: _Seconds = 0.0
    settle_s: _Seconds = 0.0
    warm_up_s: _Seconds = 0.0
    steady_s: _Seconds = 0.0
    timeout_s: Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)] = 30.0
    clients: Annotated[int, Field(ge=1, le=10_000)] = 1
    begin_at: Annotated[float, Field(ge=0, le=1e11, allow_inf_nan=False)] | None = None

    @field_validator("url")
    @classmethod
    def _plain(cls, url: str) -> str:
        if len(url) > LONGEST_URL:
            raise ValueError(f"an address of at most {LONGEST_URL} signs")
        if not all("!" <= sign <= "~" for sign in url):
            raise ValueError("an address of printable ASCII signs without blanks; write others as %XX")
        try:
            parts = urlsplit(url)
        except ValueError:  # in Python's words, which say nothing of what to type
            raise ValueError("an address whose host, if it is an IPv6 address, stands in [ ]") from None
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError("an address that begins with http:// and names a host; the load client speaks no TLS")
        if "@" in parts.netloc:
            raise ValueError("an address without a user or a password")
        try:
            port = parts.port
        except ValueError:
            port = 0
        if port == 0:
            raise ValueError("an address with a port from 1 to 65535")
        return url

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.shape == "open":
            if self.rate <= 0:
                raise ValueError("shape 'open' needs a rate above 0")
            if self.rate * (self.ramp_s + self.warm_up_s + self.steady_s) > MOST_SESSIONS:
                raise ValueError(f"more than {MOST_SESSIONS:,} arrivals: take a lower rate or a shorter time")
        elif self.sessions < 1:
            raise ValueError(f"shape {self.shape!r} needs at least one session")
        if self.shape in ("open", "closed") and self.steady_s <= 0:
            raise ValueError(f"shape {self.shape!r} needs a steady_s above 0")
        return self

    @property
    def window(self) -> tuple[float, float] | None:
        """The steady part, in seconds since the beginning; None where all counts."""
        if self.shape not in ("open", "closed"):
            return None
        begin = self.ramp_s + self.warm_up_s
        return begin, begin + self.steady_s
