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


def sealed_bytes(document: Mapping[str, Any]) -> tuple[bytes, str]:
    """A record's canonical bytes under the id that its content asks for, and that id; spelled once for both.

    Args:
        document: With fields on either side of `record_id` in the order of names, as every record has.
    """
    before = canonical_bytes({key: value for key, value in document.items() if key < "record_id"})[:-1]
    after = canonical_bytes({key: value for key, value in document.items() if key > "record_id"})[1:]
    record_id = sha256_hex(before + b"," + after)[:ID_DIGITS]
    return b'%s,"record_id":"%s",%s' % (before, record_id.encode(), after), record_id


def fingerprint(value: Any) -> str:
    """A short name for `value` that equal values share."""
    return sha256_hex(canonical_bytes(value))[:ID_DIGITS]
