"""Strangers' text on its way into a page: visible, harmless, and a name for a file. Pure."""

from __future__ import annotations

import hashlib
import re

_NO_TEXT = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff\ufffe\uffff]"
)


def visible(value: object) -> object:
    """What a template prints: no character that hides, turns text around, or that HTML and XML do not have."""
    if value is None:
        return ""
    if type(value) is str:
        return _NO_TEXT.sub("\N{REPLACEMENT CHARACTER}", value)
    return value


def slug(text: str) -> str:
    """A file's name for any text: what is safe of it stays readable, and a hash tells apart what then looks alike."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.")[:60]
    # Some file systems tell no capitals apart, and `index` is the list of the others.
    if plain and plain == text == text.lower() and plain != "index":
        return plain
    return f"{plain.lower() or 'x'}~{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()[:12]}"
