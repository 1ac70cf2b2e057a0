"""What a load client tells whoever waits for it."""

from __future__ import annotations

import json


def progress(line: str) -> str | None:
    """A line for a client's progress, else None."""
    try:
        answer = json.loads(line)
        kind = answer["kind"]
        if kind == "progress":
            failed = f", {int(answer['failed'])} of them failed" if answer["failed"] else ""
            return f"{float(answer['at_s']):.0f} s: {int(answer['begun'])} sessions begun, {int(answer['over'])} over{failed}"
        if kind == "note":
            return str(answer["text"])[:300]
        if kind == "end" and answer["trouble"]:
            return str(answer["trouble"])[:300]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return None
