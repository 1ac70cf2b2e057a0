"""What a round tells whoever waits for it."""

from __future__ import annotations

import json
from typing import Any

_LONGEST = 160


def progress(line: str) -> str | None:
    """One line for an answer that is worth telling while the round runs, else None."""
    try:
        answer = json.loads(line)
        told = _told(answer, answer["kind"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return told[:_LONGEST] if told else None


def _told(answer: dict[str, Any], kind: str) -> str | None:
    if kind == "scale_out":
        return f"Parsl asks for {int(answer['count'])} blocks"
    if kind == "block" and answer["trouble"]:
        return f"block {answer['block']} was refused: {answer['trouble']}"
    if kind == "task_failed":
        return f"a task failed: {answer['trouble']}"
    if kind == "note":
        return str(answer["text"])
    if kind == "cancelled":
        return f"Parsl scales in {len(answer['jobs'])} blocks"
    if kind == "end" and answer["trouble"]:
        return str(answer["trouble"])
    return None
