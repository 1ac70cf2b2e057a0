"""Where servers listen, and what they call themselves."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import re
import socket
from dataclasses import dataclass
from typing import Self

from perfdb.errors import ServiceError, UsageError

_NAME = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*")
BACKLOG = 4096


@dataclass(frozen=True, order=True)
class Address:
    """A host, by name or by number, and a TCP port."""

    host: str
    port: int

    def __post_init__(self) -> None:
        if not is_host(self.host):
            raise UsageError(f"{self.host[:80]!r} is no address and no host's name. Write one as 127.0.0.1 or node-1.")
        if not 1 <= self.port <= 65535:
            raise UsageError(f"{self.port} is no port to listen on. Choose one from 1 to 65535.")

    @classmethod
    def parsed(cls, text: str, default_port: int | None = None) -> Self:
        """`HOST:PORT`, `[IPV6]:PORT`, or a host alone where there is a default.

        Raises:
            UsageError: it is none of these.
        """
        host, colon, port = text.rpartition(":")
        if not colon or text.endswith("]"):
            host, port = text, "" if default_port is None else str(default_port)
        if not (port.isascii() and port.isdigit() and len(port) <= 5):
            raise UsageError(f"{text[:80]!r} is no address with a port. Write one as 127.0.0.2:8000.")
        return cls(host.removeprefix("[").removesuffix("]"), int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """As a browser takes it."""
        return f"http://{self}"

    @property
    def is_numeric(self) -> bool:
        """Whether no name has to be looked up."""
        return _numeric(self.host) is not None

    @property
    def is_every(self) -> bool:
        """Whether it stands for all addresses of a machine, those that strangers reach among them."""
        with contextlib.suppress(OSError):
            return not any(socket.inet_aton(self.host))  # 0 is 0.0.0.0, too
        number = _numeric(self.host)
        return number is not None and number.is_unspecified


def is_host(text: str) -> bool:
    """Whether it is an IP address or could be a host's name."""
    return _numeric(text) is not None or _NAME.fullmatch(text) is not None


def _numeric(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    if "%" in text:  # a scope of IPv6, which may be any text
        return None
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(text)
    return None


def host_url(host: str, port: int) -> str:
    """What a server calls itself in its observations: the address bound, so that several on one machine are told apart."""
    return str(Address(socket.gethostname() if Address(host, port).is_every else host, port))


def listening_socket(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A socket that listens there.

    Args:
        host: Address, or a name that stands for one.
        port: TCP port.
        shared: Whether further processes of ours listen on the same one.

    Raises:
        ServiceError: it can't be; says who has the port, if that can be seen.
    """
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise ServiceError(f"{host!r} stands for no address here: {error}. Give an address of this machine.") from error
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.bind(where)
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise cannot_listen(Address(host, port), error) from error
    return listening


def check_free(address: Address) -> None:
    """Return if a server could listen there now.

    Raises:
        ServiceError: none could.
    """
    listening_socket(address.host, address.port).close()


def cannot_listen(address: Address, error: OSError) -> ServiceError:
    """The paragraph for an address that can't be had."""
    if error.errno == errno.EADDRINUSE:
        return ServiceError(
            f"something listens on {address} already. See who with `ss -ltnp 'sport = :{address.port}'` and end it, or "
            "choose another port."
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return ServiceError(f"{address.host} is no address of this machine. `ip address` lists those that are.")
    if error.errno == errno.EACCES:
        return ServiceError(f"you may not listen on port {address.port}: choose one above 1023.")
    return ServiceError(f"nothing can listen on {address}: {error.strerror}. Choose another address or port.")
