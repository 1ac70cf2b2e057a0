"""What the child answers, validated: a config can make it say anything."""

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from perfdb.parsl_config.description import ExecutorDescription, ParamValue

_LARGEST_INT = 2**53 - 1
Param = tuple[Annotated[tuple[str, ...], Field(min_length=1)], ParamValue]


class Described(BaseModel):
    """The config as it is, secrets included."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    params: tuple[Param, ...]
    executors: tuple[ExecutorDescription, ...]
    run_dir: str
    monitoring: bool
    usage_tracking: bool
    parsl_version: str
    python_version: str
    python_implementation: str
    packages: dict[str, str]
    parsl_perf: str | None
    parsl_perf_flags: tuple[str, ...]
    strings: tuple[tuple[str, str], ...]
    overrides: dict[str, ParamValue]


class Refused(BaseModel):
    """Why there is nothing to describe."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    error: Literal[
        "parsl_missing",
        "parsl_broken",
        "not_a_config",
        "no_config",
        "labels",
        "override",
        "too_large",
        "exception",
        "exit",
        "syntax",
        "missing",
    ]
    type: str = ""
    message: str = ""
    line: int = 0
    syntax_in_config: bool = False
    modules: tuple[str, ...] = ()
    found: str = ""
    names: tuple[str, ...] = ()
    strings: tuple[tuple[str, str], ...] = ()


def parse(data: bytes) -> Described | Refused | None:
    """The answer, or None where it is cut off or is not what the child says."""
    try:
        answer: Any = json.loads(data, parse_int=_exact)
        # Neither lone surrogates nor infinities: no record could hold them.
        json.dumps(answer, ensure_ascii=False, allow_nan=False).encode()
        return Refused.model_validate(answer) if "error" in answer else Described.model_validate(answer)
    except (ValueError, TypeError, ValidationError, RecursionError):
        return None


def _exact(digits: str) -> int:
    if len(digits) > len(str(_LARGEST_INT)) or abs(number := int(digits)) > _LARGEST_INT:
        raise ValueError("an integer that JSON can't carry exactly")
    return number
