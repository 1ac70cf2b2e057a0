"""Strangers' names and values as a record can hold them. What changes here stands as it was in `artifacts/source.json`."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from perfdb.record import Scalar, is_label
from perfdb.redaction import SECRET, Redactor, names_a_secret
from perfdb.registry.validator.privacy import telling_params

LARGEST_INT = 2**53 - 1
# What MLflow makes of infinity.
_AS_GOOD_AS_INFINITE = 1.797e308
_INTEGER = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,15})")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]{1,40}\.?[0-9]{0,40}|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?")
_LONGEST_TAG = 1000
_CUT = " … [shortened, whole in artifacts/source.json]"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _distinct(names: Iterable[str], shape: Any, longest: int) -> dict[str, str]:
    """Each name in the shape it gets; of several that would share one, those that had to change end in a hash."""
    wanted = {name: shape(name) for name in names}
    count = Counter(wanted.values())
    shared = {new for new in wanted.values() if count[new] > 1}
    found = {}
    for old, new in wanted.items():
        changed = old != new and (new in shared or len(new) > longest)
        found[old] = f"{new[: longest - 9]}_{_digest(old)}" if changed else new
    return found


def metric_names(names: Iterable[str]) -> dict[str, str]:
    """Each metric's name in lower case with underscores, by its own: `Train/Loss` is `train_loss`."""

    def shape(name: str) -> str:
        plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
        return plain if re.match("[a-z]", plain) else f"m_{plain}".rstrip("_")

    own = re.compile(r"[a-z][a-z0-9_]*")
    return _distinct(names, lambda name: name if own.fullmatch(name) else shape(name), 100)


def tags_of(tags: Mapping[str, str]) -> dict[str, str]:
    """Tags under names that a record takes."""
    names = _distinct(tags, _tag_name, 100)
    return {names[name]: _tag_value(value) for name, value in tags.items()}


def _tag_name(name: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9 ._-]", "_", name)
    return plain if re.match("[A-Za-z]", plain) else f"tag {plain}"


def _tag_value(text: str) -> str:
    return text if len(text) <= _LONGEST_TAG else text[: _LONGEST_TAG - len(_CUT)] + _CUT


def label_of(text: str, otherwise: str) -> str:
    """`text` as it may name a folder; `otherwise` where nothing of it may."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")[:64].strip("-._")
    if plain.isdigit():
        plain = f"x-{plain}"[:64]
    return plain if is_label(plain) else otherwise


def run_name_of(text: str, otherwise: str) -> str:
    """`text` as it may name a run: printable, without slashes."""
    signs = ("_" if sign in "/\\" else sign if sign.isprintable() else " " for sign in text[:1000])
    plain = " ".join("".join(signs).split())[:200].strip()
    return plain or otherwise


def number_of(text: str) -> int | float | None:
    """The finite number that a text spells as people do; None for any other text, `007` and `1_000` among them."""
    text = text.strip()
    if _INTEGER.fullmatch(text):
        number = int(text)
        return number if abs(number) <= LARGEST_INT else None
    if _DECIMAL.fullmatch(text) and not re.match(r"[+-]?0[0-9]", text) and not text.lstrip("+-").isdigit():
        value = float(text)
        return value if is_finite(value) else None
    return None


def is_finite(value: float) -> bool:
    """Whether a number is one, and not what MLflow makes of infinity."""
    return math.isfinite(value) and abs(value) < _AS_GOOD_AS_INFINITE


def _is_private(name: str, text: str) -> bool:
    return names_a_secret(name) or any(telling_params({name: text}))


class Scrub:
    """Masks secrets and people in whatever a source holds."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def text(self, text: str) -> str:
        """A text, masked, and as JSON can hold it."""
        return self._redactor.text(text.encode("utf-8", "replace").decode("utf-8"))

    def named(self, name: str, text: str) -> str:
        """A text that goes by a name, which may say that it is a secret."""
        return SECRET if text and _is_private(name, text) else self.text(text)

    def scalar(self, name: str, text: str) -> Scalar:
        """A parameter's text: a number where it spells one."""
        number = None if _is_private(name, text) else number_of(text)
        return self.named(name, text) if number is None else number

    def document(self, value: Any, name: str = "") -> Any:
        """A JSON document, masked throughout; numbers that JSON cannot say exactly become text."""
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.document(inner, str(key)) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.document(inner, name) for inner in value]
        if isinstance(value, str):
            return self.named(name, value)
        if isinstance(value, bool) or value is None:
            return value
        if isinstance(value, int):
            return value if abs(value) <= LARGEST_INT else str(value)
        return value if math.isfinite(value) else repr(value)
