"""What the program that keeps the client nodes says to the load that asked, one JSON line each."""

import json
import re

LONGEST_TROUBLE = 200
LONGEST = 150  # of what somebody else said
_NODE = re.compile(r"(\b(?:on host|on node|ON) '?|\bsrun: error: (?=[\w.-]+: tasks? ))[\w.-]+")


class Caller:
    """The load that asked, at the other end of a socket. It may have gone away."""

    def __init__(self, sock):
        self._sock = sock
        self.gone = False

    def tell(self, kind, **fields):
        """One answer."""
        self.pass_on(json.dumps(dict(fields, kind=kind), separators=(",", ":")) + "\n")

    def pass_on(self, text):
        """Whole lines that somebody else answered."""
        try:
            self._sock.sendall(text.encode())
        except OSError:
            self.gone = True


def trouble(error, names):
    """What went wrong in few words, without these names of nodes."""
    if type(error).__name__ in ("ManagerLost", "WorkerLost"):
        return "its node, or the worker there, was lost in the middle"
    return plain(f"{type(error).__name__}: {error}", names)


def plain(said, names):
    """One line of it, without these names of nodes; of a long one the end, for that says most."""
    for name in sorted(filter(None, names), key=len, reverse=True):
        said = said.replace(name, "<node>")
    said = _NODE.sub(r"\1<node>", said)
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in said).split())
    # From a whole word on: the rest of a path would not be known for one, and tell names.
    return line if len(line) <= LONGEST else line[-LONGEST:].partition(" ")[2]
