"""`python killed_at.py PLACE ARGUMENTS…`: perfdb, killed without a word at a chosen place of a sitting.

PLACE is `writing:NAME` (before the journal's document of that name is written), `starting:N` (before the N-th supervisor
starts) or `full:NAME` (no kill: the disk is full when that document is written).
"""

import os
import sys

from perfdb.cli import main
from perfdb.registry import Journal
from perfdb.registry.durable import cannot_write
from perfdb.runner import lab

place, sys.argv = sys.argv[1], ["perfdb", *sys.argv[2:]]
kind, _, what = place.partition(":")
write, started = Journal.write, lab.Supervised


def written(journal, name, document):
    if name == what and kind == "writing":
        os._exit(9)
    if name == what and kind == "full":
        raise cannot_write(journal.path / name, OSError(28, "No space left on device"), "")
    write(journal, name, document)


class Started(started):
    count = 0

    def __init__(self, *arguments):
        Started.count += 1
        if kind == "starting" and Started.count == int(what):
            os._exit(9)
        super().__init__(*arguments)


Journal.write, lab.Supervised = written, Started
main()
