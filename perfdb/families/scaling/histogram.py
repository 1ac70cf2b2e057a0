"""A high dynamic range histogram: counts of values to three digits, over nine orders of magnitude, that add up exactly.

The buckets and the encoding (version 2, compressed, base64) are those of HdrHistogram (Tene, http://hdrhistogram.org), so
that its tools read what is kept. Standard library alone, any Python since 3.8: the load client imports this file too.
"""

from __future__ import annotations

import base64
import binascii
import struct
import zlib
from collections.abc import Iterable, Iterator

# From a microsecond to an hour, within 0.1 %.
HIGHEST = 3_600_000_000
DIGITS = 3
_SUB_BUCKETS = 2048  # the first power of two from 2 * 10**DIGITS on
_HALF = _SUB_BUCKETS // 2
_BITS = _SUB_BUCKETS.bit_length() - 1
_BUCKETS = HIGHEST.bit_length() - _BITS + 1
_SLOTS = (_BUCKETS + 1) * _HALF
_COOKIE, _COMPRESSED_COOKIE = 0x1C849313, 0x1C849314
_HEADER = struct.Struct(">iiiiqqd")
_MOST_BYTES = 9 * _SLOTS + _HEADER.size


class Histogram:
    """Counts of values from 0 to `HIGHEST`, whole numbers of one unit; a higher one counts as that."""

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}
        self.total = 0

    def record(self, value: int, count: int = 1) -> None:
        """Count a value, at least 0."""
        slot = _slot(min(value, HIGHEST))
        self.counts[slot] = self.counts.get(slot, 0) + count
        self.total += count

    def add(self, other: Histogram) -> None:
        """Count all that the other one counted."""
        for slot, count in other.counts.items():
            self.counts[slot] = self.counts.get(slot, 0) + count
        self.total += other.total

    def at_rank(self, rank: int) -> int | None:
        """The value of that rank, counted from 1, to three digits; None where so many were not counted."""
        seen = 0
        for slot in sorted(self.counts):
            seen += self.counts[slot]
            if seen >= rank:
                return _middle(slot)
        return None

    def steps(self) -> Iterator[tuple[int, int]]:
        """Each value that was counted, to three digits and in order, and how often."""
        for slot in sorted(self.counts):
            yield _middle(slot), self.counts[slot]

    def encoded(self) -> str:
        """As text that HdrHistogram's tools read."""
        payload = bytearray()
        before = -1
        for slot in sorted(self.counts):
            if slot - before > 1:
                payload += _signed(before + 1 - slot)  # so many slots are empty
            payload += _signed(self.counts[slot])
            before = slot
        body = zlib.compress(_HEADER.pack(_COOKIE, len(payload), 0, DIGITS, 1, HIGHEST, 1.0) + bytes(payload))
        return base64.b64encode(struct.pack(">ii", _COMPRESSED_COOKIE, len(body)) + body).decode("ascii")

    @classmethod
    def decode(cls, text: str) -> Histogram:
        """What `encoded` said.

        Raises:
            ValueError: it is no such text, or of other buckets than ours.
        """
        try:
            data = base64.b64decode(text, validate=True)
            cookie, length = struct.unpack_from(">ii", data)
            if cookie != _COMPRESSED_COOKIE or length != len(data) - 8:
                raise ValueError("no compressed histogram of version 2")
            unpacking = zlib.decompressobj()
            body = unpacking.decompress(data[8:], _MOST_BYTES)
            header = _HEADER.unpack_from(body)
        except (binascii.Error, struct.error, zlib.error) as error:
            raise ValueError(f"no histogram: {error}") from error
        if header != (_COOKIE, len(body) - _HEADER.size, 0, DIGITS, 1, HIGHEST, 1.0) or unpacking.unconsumed_tail:
            raise ValueError("a histogram of other buckets, or one that was cut off")
        return cls._of(_signed_numbers(body[_HEADER.size :]))

    @classmethod
    def of(cls, values: Iterable[int]) -> Histogram:
        """One that counted these values."""
        histogram = cls()
        for value in values:
            histogram.record(value)
        return histogram

    @classmethod
    def _of(cls, numbers: Iterable[int]) -> Histogram:
        histogram = cls()
        slot = 0
        for number in numbers:
            if number < 0:
                slot -= number
                continue
            if slot >= _SLOTS:
                raise ValueError("a histogram with more buckets than there are")
            if number:
                histogram.counts[slot] = number
                histogram.total += number
            slot += 1
        return histogram


def _slot(value: int) -> int:
    bucket = max(0, value.bit_length() - _BITS)
    return ((bucket + 1) << (_BITS - 1)) + (value >> bucket) - _HALF


def _middle(slot: int) -> int:
    bucket = (slot >> (_BITS - 1)) - 1
    if bucket < 0:
        return slot
    sub = (slot & (_HALF - 1)) + _HALF
    return (sub << bucket) + ((1 << bucket) >> 1)


def _signed(number: int) -> bytes:
    """ZigZag, then seven bits a byte; the ninth byte holds eight."""
    rest = (number << 1) ^ (number >> 63)
    data = bytearray()
    while rest > 0x7F and len(data) < 8:
        data.append((rest & 0x7F) | 0x80)
        rest >>= 7
    data.append(rest)
    return bytes(data)


def _signed_numbers(data: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in data:
        whole = shift == 56
        number |= (byte if whole else byte & 0x7F) << shift
        if byte & 0x80 and not whole:
            shift += 7
            continue
        yield (number >> 1) ^ -(number & 1)
        number = shift = 0
    if shift:
        raise ValueError("a histogram that ends within a number")
