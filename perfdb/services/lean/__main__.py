"""`python -m perfdb.services.lean OPTIONS`, with the options as JSON: one backend of a service that perfdb started."""

from __future__ import annotations

import sys

from perfdb.errors import ServiceError
from perfdb.services.lean.options import Options
from perfdb.services.lean.server import serve
from perfdb.services.lifeline import die_with_starter

if __name__ == "__main__":
    die_with_starter()
    try:
        serve(Options.from_json(sys.argv[1]))
    except ServiceError as error:
        sys.exit(f"perfdb: {error}")
