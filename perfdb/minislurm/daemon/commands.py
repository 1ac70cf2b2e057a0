"""What the daemon is asked, out of one line that may hold anything."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from perfdb.errors import UsageError
from perfdb.minislurm.daemon.offered import Offered
from perfdb.minislurm.request import Request

_MOST_IDS = 1_000_000
_INTEGER = 2**63


@dataclass(frozen=True)
class Cancel:
    """End those jobs."""

    ids: list[int]


@dataclass(frozen=True)
class Wait:
    """Tell when those jobs have ended."""

    ids: list[int]


def parse(line: bytes, offered: Offered) -> Request | Cancel | Wait:
    """What that line asks.

    Raises:
        UsageError: nothing that can be done.
    """
    try:
        asked = json.loads(line)
        match asked["do"]:
            case "submit":
                return _held_against(_request(asked["request"]), offered)
            case "cancel":
                return Cancel(_ids(asked["ids"]))
            case "wait":
                return Wait(_ids(asked["ids"]))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise _nonsense(f"{type(error).__name__}: {error}"[:200]) from error
    raise _nonsense("it can't do that")


def _request(fields: dict[str, Any]) -> Request:
    request = Request(**fields | {"argv": tuple(fields["argv"]), "array": tuple(fields["array"])})
    words = (
        *request.argv,
        *request.env,
        *request.env.values(),
        request.cwd,
        request.name,
        request.stdout,
        request.stderr,
    )
    if not request.argv or any(type(word) is not str or "\0" in word for word in words):
        raise ValueError("a command is words without NUL bytes")
    numbers = (request.cpus, request.min_cpus, request.max_cpus, request.mem_mb, request.priority, *request.array)
    if any(type(number) is not int or not -_INTEGER <= number < _INTEGER for number in numbers):
        raise ValueError("numbers are whole and have 64 bits")
    if type(request.is_elastic) is not bool or not 1 <= request.min_cpus <= request.cpus <= request.max_cpus:
        raise ValueError("bounds of a job are 1 <= min_cpus <= cpus <= max_cpus")
    if not request.is_elastic and request.min_cpus != request.max_cpus:
        raise ValueError("a job that is not elastic has one number of CPUs")
    if request.mem_mb < 1 or list(request.array) != sorted(set(request.array)) or min(request.array, default=0) < 0:
        raise ValueError("memory is at least 1 MB, and an array's indices ascend from 0")
    limit_s = request.limit_s
    if limit_s is not None and (type(limit_s) not in (int, float) or not 0 < limit_s < _INTEGER):
        raise ValueError("a limit is a number of seconds above 0, in 64 bits")
    return request


def _held_against(request: Request, offered: Offered) -> Request:
    if request.cpus > offered.cpus:
        raise UsageError(
            f"{request.cpus} CPUs are more than the scheduler offers: {offered.cpus}. Type --cpus {offered.cpus}, or fewer."
        )
    if request.mem_mb > offered.mem_mb:
        raise UsageError(
            f"{request.mem_mb} MB are more than the scheduler offers: {offered.mem_mb}. Type --mem {offered.mem_mb}M, or less."
        )
    return request


def _ids(value: Any) -> list[int]:
    if (
        type(value) is not list
        or len(value) > _MOST_IDS
        or any(type(id) is not int or not 0 <= id < _INTEGER for id in value)
    ):
        raise ValueError("ids are a list of whole numbers")
    return list(value)


def _nonsense(why: str) -> UsageError:
    return UsageError(
        f"the scheduler does not understand what it was asked ({why}): it may be of another version; end it and start it "
        "again (mini-slurm scheduler)."
    )
