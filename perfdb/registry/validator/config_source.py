"""A config that a contribution brings along: code, so it is parsed and searched, and never imported."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from perfdb.registry.validator.limits import LARGEST_CONFIG, MOST_FAULTS_A_RECORD
from perfdb.registry.validator.privacy import Search
from perfdb.registry.validator.report import Fault, Findings

CONFIG_FOLDER = "parsl-configs"
_CHILD = Path(__file__).parent / "child" / "read_source.py"
_NAME = re.compile(r"[a-z][a-z0-9]{0,30}_[a-z0-9][a-z0-9_]{0,60}\.py")
# Signs that turn text around or hide it, a line end that is none to most readers, and PEP 263's line in another encoding
# than UTF-8, in which a comment may be code.
_HIDDEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]"
    r"(?<!\r(?=\n))"
    r"|\A(?:[^\n]*\n)?[ \t\f]*#[^\n]*?coding[:=][ \t]*+(?!utf-?8(?![-\w.])|utf_8(?![-\w.]))",
    re.IGNORECASE,
)
_PATIENCE_S = 10.0
_MEND = "mend the config, and contribute it again"


def judge_config(path: str, data: bytes | None, search: Search) -> tuple[Fault, ...]:
    """The faults of one config.

    Args:
        data: None where it is larger than a config may be.
    """
    findings = Findings(MOST_FAULTS_A_RECORD)
    search.begin()
    name = path.rpartition("/")[2]
    if not _NAME.fullmatch(name):
        problem = "a config's name is <platform>_<what>.py in small letters, such as slurm_hopper.py"
        findings.add(path, "wrong-name", problem, "rename it and measure by the new name, or leave it out")
    if data is None:
        findings.add(path, "too-large", f"a config has at most {LARGEST_CONFIG} bytes", _MEND)
        return tuple(findings.faults)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        findings.add(path, "not-text", "it is not text in UTF-8", _MEND)
        return tuple(findings.faults)
    if hidden := _HIDDEN.search(text.removeprefix("\ufeff")):
        line = text.count("\n", 0, hidden.start()) + 1
        problem = (
            "what a reader sees of it is not what Python does: it holds invisible signs, or names another encoding"
        )
        findings.add(path, "hidden-code", problem, _MEND, f"line {line}")
    search.text(findings, path, text, "")
    found = _parsed(data)
    if "strings" not in found:
        findings.add(path, "not-python", f"its syntax is wrong: {str(found.get('wrong'))[:300]}", _MEND)
        return tuple(findings.faults)
    if not found.get("sets_config"):
        findings.add(path, "no-config", "it sets no `config` and defines no `fresh_config`", _MEND)
    for line, string in found["strings"]:
        # As written it was searched above; as Python reads it, an escape hides nothing.
        search.words(findings, f"{path}:{int(line)}", (str(string),), "")
    return tuple(findings.faults)


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(_CHILD)],
            input=data,
            capture_output=True,
            timeout=_PATIENCE_S,
            check=True,
            env={},
        )
        return dict(json.loads(done.stdout))
    except (subprocess.SubprocessError, ValueError):
        return {"wrong": "Python's own parser does not come to an end with it"}
