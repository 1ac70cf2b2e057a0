"""Names that people give: of experiments and machines, which become folders, and of runs."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

# A label names a folder on every file system, is no hidden or reserved name, and is never all digits:
# MLflow takes `mlruns/<digits>/` for its old file store.
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9_-])?"
# The same in words, for messages.
LABEL_RULE = "letters, digits, `.`, `_` and `-`, at most 64, first a letter or digit, last no `.`, not only digits"


def is_label(value: str) -> bool:
    """Whether `value` can name an experiment or a machine."""
    return re.fullmatch(_LABEL, value) is not None and not value.isdigit()


def is_run_name(value: str) -> bool:
    """Whether `value` can name a run: printable, no slashes, at most 200 characters."""
    return 1 <= len(value) <= 200 and value.isprintable() and value == value.strip() and not set(value) & {"/", "\\"}


def _label(value: str) -> str:
    if not is_label(value):
        raise ValueError(f"a label is {LABEL_RULE}")
    return value


def _run_name(value: str) -> str:
    if not is_run_name(value):
        raise ValueError("a run name is printable text without slashes or outer blanks, at most 200 characters")
    return value


Label = Annotated[str, AfterValidator(_label), WithJsonSchema({"type": "string", "pattern": rf"^(?![0-9]*$){_LABEL}$"})]
RunName = Annotated[
    str,
    AfterValidator(_run_name),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"^[^/\\]*$"}),
]
