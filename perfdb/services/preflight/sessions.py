"""A few real sessions, to see which hosts answer."""

from __future__ import annotations

import asyncio
import importlib.util
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perfdb.errors import ServiceError
from perfdb.services.addresses import Address
from perfdb.services.envoy.program import INSTALL

if TYPE_CHECKING:
    import aiohttp

_AT_ONCE = 8
_TIMEOUT_S = 20.0
_ALL_WITHIN_S = 30.0
# For the end of a session that got no answer.
_CLOSED_WITHIN_S = 1.0
_LONGEST_MESSAGE = 64 * 1024
_LONGEST_NAME = 300


@dataclass(frozen=True)
class Seen:
    """What became of the sessions.

    Attributes:
        hosts: How many each `host_url` answered.
        errors: How many failed for each reason.
    """

    hosts: dict[str, int]
    errors: dict[str, int]


def try_sessions(address: Address, count: int) -> Seen:
    """Open so many sessions, a few at a time: reset, a step that does not wait, close. After half a minute no more are.

    Raises:
        ServiceError: aiohttp is missing.
    """
    if importlib.util.find_spec("aiohttp") is None:
        raise ServiceError(f"aiohttp, which opens the sessions, is not installed. Install it with `{INSTALL}`.")
    return asyncio.run(_all(address, count))


async def _all(address: Address, count: int) -> Seen:
    import aiohttp

    # Whatever answers may be anybody.
    odd = (aiohttp.ClientError, OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError)
    hosts: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    gate = asyncio.Semaphore(_AT_ONCE)
    now = asyncio.get_running_loop().time
    deadline = now() + _ALL_WITHIN_S
    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(_redirected)
    async with aiohttp.ClientSession(trace_configs=[trace]) as client:

        async def one() -> None:
            async with gate:
                try:
                    async with asyncio.timeout_at(min(now() + _TIMEOUT_S, deadline)):
                        hosts[await _session(client, address)] += 1
                except TimeoutError:
                    errors[f"no answer within {_TIMEOUT_S:g} s, or all within {_ALL_WITHIN_S:g} s"] += 1
                except odd as error:
                    errors[str(error)[:_LONGEST_NAME] or type(error).__name__] += 1

        await asyncio.gather(*(one() for _ in range(count)))
    return Seen(dict(hosts), dict(errors))


async def _redirected(*_: object) -> None:
    # Nobody asked us to talk to whoever is named there.
    raise ValueError("it redirects elsewhere")


async def _session(client: aiohttp.ClientSession, address: Address) -> str:
    import aiohttp

    url = f"ws://{address}/ws"
    timeout = aiohttp.ClientWSTimeout(ws_close=_CLOSED_WITHIN_S)
    async with client.ws_connect(url, max_msg_size=_LONGEST_MESSAGE, timeout=timeout) as socket:
        host = ""
        for message in ({"type": "reset", "data": {}}, {"type": "step", "data": {"wait_seconds": 0}}):
            await socket.send_json(message)
            answer = await socket.receive_json()
            if answer["type"] != "observation":
                raise ValueError(str(answer["data"].get("message", "an error without a message")))
            host = str(answer["data"]["observation"]["host_url"])[:_LONGEST_NAME]
        await socket.send_json({"type": "close"})
    return host
