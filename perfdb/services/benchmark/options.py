"""What a benchmark server is told."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Self

DEFAULT_PORT = 8000
DEFAULT_MOST = 100


@dataclass(frozen=True)
class Options:
    """One server.

    Attributes:
        host: Address to listen on.
        port: TCP port.
        workers: uvicorn's worker processes.
        max_concurrent_envs: Sessions that each worker holds at once.
    """

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    workers: int = 1
    max_concurrent_envs: int = DEFAULT_MOST

    def to_json(self) -> str:
        """One line that `from_json` reads back."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The options in `text`, as `to_json` wrote them."""
        return cls(**json.loads(text))
