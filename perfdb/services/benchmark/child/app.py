"""The application that each of uvicorn's workers imports; the environment variables are set by `server`."""

from __future__ import annotations

import os
from dataclasses import asdict

from openenv.core.env_server.http_server import create_app

from perfdb.services.benchmark.child.environment import WaitAction, WaitEnvironment, WaitObservation
from perfdb.services.benchmark.server import HOST_URL, MOST, TOP
from perfdb.services.lifeline import die_with_starter
from perfdb.services.usage import usage

die_with_starter()  # a worker that uvicorn started would else outlive an uvicorn that was killed

_HOST = os.environ[HOST_URL]

app = create_app(
    lambda: WaitEnvironment(_HOST),
    WaitAction,
    WaitObservation,
    env_name="benchmark",
    max_concurrent_envs=int(os.environ[MOST]),
)


@app.get("/stats")
def stats() -> dict[str, float]:
    """What the server uses, all its processes. It runs in a thread, so that sessions don't wait for it."""
    return asdict(usage(int(os.environ[TOP])))
