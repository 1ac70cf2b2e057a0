"""What perfdb.toml and PERFDB_* say of this site."""

from __future__ import annotations

import os
from collections.abc import Iterator
from difflib import get_close_matches

from perfdb.cli.doctor.here import Here
from perfdb.cli.doctor.point import Point
from perfdb.settings import SETTINGS_FILE, Settings

_NEEDED_FOR = "every command: where things lie"
_LABEL = "every run: records of one machine belong together"


def look(here: Here) -> Iterator[Point]:
    """Where settings come from, by names alone, and the machine's label."""
    from perfdb.record import LABEL_RULE, is_label

    there = (here.settings.root / SETTINGS_FILE).is_file()
    variables = sorted(name for name in os.environ if name.startswith("PERFDB_") or name == "MLFLOW_TRACKING_URI")
    told = f"a {SETTINGS_FILE}" if there else f"no {SETTINGS_FILE}"
    told = f"{told}; set: {', '.join(variables) or 'no variable'}"
    known = [f"PERFDB_{name.upper()}" for name in Settings.model_fields]
    # Others have their own: configs, children of a run. What looks like one of these is a slip.
    slips = {name: get_close_matches(name, known, n=1, cutoff=0.9) for name in variables if name not in known}
    if wrong := next(((name, found[0]) for name, found in slips.items() if found), None):
        yield Point("settings", "note", f"{told}; nothing reads {wrong[0]}", _NEEDED_FOR, f"export {wrong[1]}=…")
    else:
        yield Point("settings", "ok", told, _NEEDED_FOR)
    label = here.settings.machine
    if label is None:
        fix = f'on a site with several login nodes, write machine = "NAME" into {SETTINGS_FILE}'
        yield Point("machine label", "note", "none set: records carry a pseudonym of this host", _LABEL, fix)
    elif is_label(label):
        yield Point("machine label", "ok", label, _LABEL)
    else:
        fix = f"set PERFDB_MACHINE, or machine in {SETTINGS_FILE}: {LABEL_RULE}"
        yield Point("machine label", "fix", f"{label[:80]!r} cannot name a folder", _LABEL, fix)
