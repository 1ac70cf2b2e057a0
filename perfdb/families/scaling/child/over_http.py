"""Just enough HTTP/1.1 for a client: requests as bytes, answers read as they arrive."""

import json

import faults

LONGEST_HEAD = 64 * 1024
LONGEST_BODY = 1024 * 1024
# So many figures a length has at most; Python reads a number of thousands of them late, or not at all.
MOST_FIGURES = 7


def request(method, target, path, body=None):
    """One request on a connection that is kept."""
    head = f"{method} {path} HTTP/1.1\r\nHost: {target.authority}\r\nAccept: */*\r\n"
    if body is None:
        return f"{head}\r\n".encode("ascii")
    data = json.dumps(body).encode("ascii")
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n".encode("ascii") + data


def read_head(buffer, ended):
    """Take status and header fields, their names in small letters, from the buffer; None while they are not all there."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        if len(buffer) > LONGEST_HEAD:
            raise faults.Fault(faults.WRONG, "an answer whose head has no end")
        return None
    head = bytes(buffer[:end]).decode("latin-1")
    del buffer[: end + 4]
    first, *lines = head.split("\r\n")
    words = first.split(" ", 2)
    if len(words) < 2 or not words[0].startswith("HTTP/1.") or not (words[1].isdecimal() and len(words[1]) == 3):
        raise faults.Fault(faults.WRONG, "no answer of HTTP/1.1: " + faults.theirs(first))
    fields = {}
    for line in lines:
        name, _, value = line.partition(":")
        fields[name.strip().lower()] = value.strip()
    return int(words[1]), fields


class Reader:
    """Reads one answer: status and body."""

    def __init__(self):
        self._head = None
        self._body = bytearray()
        self._left = None

    def __call__(self, buffer, ended):
        """The answer, None while it is not all there."""
        if self._head is None:
            self._head = read_head(buffer, ended)
            if self._head is None:
                return None
            if self._head[0] in (204, 304):
                return self._head[0], b""
        fields = self._head[1]
        if "chunked" in fields.get("transfer-encoding", "").lower():
            return self._chunked(buffer)
        if "content-length" in fields:
            length = _length(fields["content-length"])
            return self._whole(buffer, length) if len(buffer) >= length else None
        self._bound(len(buffer))
        return self._whole(buffer, len(buffer)) if ended else None

    def _whole(self, buffer, length):
        body = bytes(buffer[:length])
        del buffer[:length]
        return self._head[0], body

    def _chunked(self, buffer):
        while True:
            end = buffer.find(b"\r\n")
            if end < 0:
                self._bound(len(buffer))
                return None
            try:
                size = int(bytes(buffer[:end]).split(b";")[0], 16)
            except ValueError:
                raise faults.Fault(faults.WRONG, "an answer in chunks of no size") from None
            self._bound(len(self._body) + size if size >= 0 else LONGEST_BODY + 1)
            if len(buffer) < end + 2 + size + 2:
                return None
            self._body += buffer[end + 2 : end + 2 + size]
            del buffer[: end + 2 + size + 2]
            if size == 0:
                return self._head[0], bytes(self._body)

    def _bound(self, length):
        if length > LONGEST_BODY:
            raise faults.Fault(faults.WRONG, f"an answer longer than {LONGEST_BODY} bytes")


def _length(text):
    figures = text.lstrip("0")
    if not text.isdecimal() or len(figures) > MOST_FIGURES or int(figures or "0") > LONGEST_BODY:
        raise faults.Fault(faults.WRONG, "an answer of no possible Content-Length")
    return int(figures or "0")
