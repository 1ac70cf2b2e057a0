"""A file that somebody else writes: the lines that were added since the last look."""


class Following:
    """Of that file, from `offset` bytes on."""

    def __init__(self, path, offset):
        self._file = open(path, "rb")  # noqa: SIM115 (open as long as the child is)
        self._file.seek(offset)
        self._half = b""

    def lines(self):
        """The whole lines that are new."""
        *whole, self._half = (self._half + self._file.read()).split(b"\n")
        return [line.decode("utf-8", "replace") for line in whole]
