"""JSON for a page's scripts. Pure."""

from __future__ import annotations

import json

from markupsafe import Markup

_ACTIVE = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}


def script_json(document: object) -> Markup:
    """JSON that may stand within a script element: nothing in it ends that element or begins a comment.

    Raises:
        ValueError: a number in it is none that JSON has.
    """
    text = json.dumps(document, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return Markup(text.translate(_ACTIVE))  # noqa: S704 - nothing in it can leave the script
