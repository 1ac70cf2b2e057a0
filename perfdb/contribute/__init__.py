"""Records onto a branch that others can pull, and the words that go with them."""

from perfdb.contribute.contribution import Contribution, Request, contribute
from perfdb.contribute.fault import Check, Fault, Faulty
from perfdb.contribute.sending import next_commands, send

__all__ = ["Check", "Contribution", "Fault", "Faulty", "Request", "contribute", "next_commands", "send"]
