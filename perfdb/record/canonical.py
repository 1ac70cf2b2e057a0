"""One value, one spelling: canonical JSON and the hashes made from it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import rfc8785

from perfdb.errors import RecordError

ID_DIGITS = 16
LARGEST_INT = 2**53 - 1


def canonical_bytes(value: Any) -> bytes:
    """`value` as canonical JSON (RFC 8785), UTF-8.

    Raises:
        RecordError: it holds what JSON cannot say exactly (NaN, integers past 2**53, lone surrogates).
    """
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise RecordError(
            f"this value has no canonical JSON form: {error}. Numbers must be finite and below 2**53, "
            "text must be valid Unicode."
        ) from error


def sha256_hex(data: bytes) -> str:
    """The SHA-256 of `data` in 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def record_id_of(document: Mapping[str, Any]) -> str:
    """The id that a record's document must carry: a hash of everything in it but the id."""
    body = {key: value for key, value in document.items() if key != "record_id"}
    return sha256_hex(canonical_bytes(body))[:ID_DIGITS]


def fingerprint(value: Any) -> str:
    """A short name for `value` that equal values share."""
    return sha256_hex(canonical_bytes(value))[:ID_DIGITS]
