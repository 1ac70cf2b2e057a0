"""Bytes in, whole masked lines out."""

from __future__ import annotations

from perfdb.redaction import Redactor
from perfdb.redaction.pem import inside

LONGEST_LINE = 64 * 1024
# Read beyond the cut and dropped after masking: a secret that the cut goes through would not be recognised.
MARGIN = 8 * 1024
_ARMOUR = "-----BEGIN PRIVATE KEY-----"


class Lines:
    """One stream's lines, masked. Of a line longer than LONGEST_LINE bytes only the start is kept."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._rest = b""
        self._skipping = False
        self._in_armour = False

    def feed(self, data: bytes) -> list[str]:
        """The lines that `data` completes."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        if whole and self._skipping:
            del whole[0]  # what is left of the line that was cut
            self._skipping = False
        if len(self._rest) > LONGEST_LINE + MARGIN or self._skipping:
            if not self._skipping:
                whole.append(self._rest)
            self._rest, self._skipping = b"", True
        return [self._masked(line) for line in whole]

    def close(self) -> list[str]:
        """What came after the last line end."""
        rest, self._rest = self._rest, b""
        return [self._masked(rest)] if rest else []

    def _masked(self, line: bytes) -> str:
        text = line[: LONGEST_LINE + MARGIN].decode("utf-8", "replace").rstrip("\r")
        if self._in_armour or "-----" in text:
            # A key's lines don't show what they are: the redactor must see that its armour was opened above.
            above = [_ARMOUR] if self._in_armour else []
            self._in_armour = len(above) + 1 in inside([*above, text, ""])
            masked = self._redactor.text("\n".join([*above, text])).split("\n")[-1]
        else:
            masked = self._redactor.text(text)
        return masked[:-MARGIN] if len(line) > LONGEST_LINE + MARGIN else masked
