"""What the lean server is told."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Self


@dataclass(frozen=True)
class Options:
    """One server.

    Attributes:
        host: Address to listen on.
        port: TCP port.
        workers: Processes; the kernel spreads connections over them.
        capacity: WebSocket sessions that each worker holds at once, None for as many as it has file descriptors.
        delay_ms: Milliseconds by which a delayed step is late.
        delay_share: Share of steps that are delayed, 0 to 1, to four decimals.
        refuse_share: Share of new sessions and of HTTP requests that get a 503, likewise.
        seed: Which ones: the same seed picks the same ordinals.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    capacity: int | None = None
    delay_ms: float = 0.0
    delay_share: float = 0.0
    refuse_share: float = 0.0
    seed: int = 0

    def to_json(self) -> str:
        """One line that `from_json` reads back."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The options in `text`, as `to_json` wrote them."""
        return cls(**json.loads(text))
