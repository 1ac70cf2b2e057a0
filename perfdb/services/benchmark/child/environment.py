"""The environment itself, in openenv-core's terms, which carry no types. A step blocks a thread, as most real ones do."""

from __future__ import annotations

import os
import time
import uuid
from typing import Any

from openenv.core.env_server.interfaces import Environment
from openenv.core.env_server.types import Action, Observation, State
from pydantic import Field


class WaitAction(Action):
    """Wait, then answer."""

    wait_seconds: float = Field(ge=0, le=3600, allow_inf_nan=False)


class WaitObservation(Observation):
    """Who waited, and for how long."""

    waited_seconds: float
    pid: int
    session_hash: str
    host_url: str
    step_count: int


class WaitEnvironment(Environment[WaitAction, WaitObservation, State]):
    """One session's."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self, host_url: str) -> None:
        super().__init__()
        self._host_url = host_url
        self._hash = uuid.uuid4().hex[:16]
        self._episode_id: str | None = None
        self._steps = 0

    def reset(self, seed: int | None = None, episode_id: str | None = None, **kwargs: Any) -> WaitObservation:  # noqa: ARG002 (the names are openenv-core's)
        """Begin anew."""
        self._episode_id = episode_id
        self._steps = 0
        return self._observed(0.0)

    def step(self, action: WaitAction, timeout_s: float | None = None, **kwargs: Any) -> WaitObservation:  # noqa: ARG002 (as above)
        """Wait."""
        time.sleep(action.wait_seconds)
        self._steps += 1
        return self._observed(action.wait_seconds)

    @property
    def state(self) -> State:
        """How far it got."""
        return State(episode_id=self._episode_id, step_count=self._steps)

    def _observed(self, waited_s: float) -> WaitObservation:
        return WaitObservation(
            waited_seconds=waited_s,
            pid=os.getpid(),
            session_hash=self._hash,
            host_url=self._host_url,
            step_count=self._steps,
        )
