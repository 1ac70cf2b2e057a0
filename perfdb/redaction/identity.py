"""Who and where: the person and the machine whose names must not leave it."""

import contextlib
import getpass
import os
import pwd
import re
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from perfdb.redaction.spans import ADDRESS, HOME, HOST, USER, Span

# Names that say nobody: masking them in free text would only garble it. As part of a home path they still go.
_NOBODY = frozenset(
    """root user users admin administrator guest nobody test tests ubuntu debian centos fedora runner vagrant
    docker container jovyan worker workers service daemon python parsl perfdb slurm flux home data work tmp
    config local default main mail node none""".split()  # noqa: SIM905
)
_NO_HOST = frozenset(
    """localhost localhost.localdomain localdomain local host node worker workers login slurm master head
    container docker runner default main parsl python perfdb unknown none""".split()  # noqa: SIM905
)
_NO_HOME = frozenset("/ /nonexistent /tmp /var /usr /opt /srv /home /Users /root /dev/null".split())  # noqa: SIM905
_ENDS_NO_DOMAIN = (".localdomain", ".local", ".internal", ".example", ".localhost")


def _whole(names: Iterable[str], flags: int = 0) -> re.Pattern[str] | None:
    longest_first = sorted({name for name in names if name}, key=lambda name: (-len(name), name))
    if not longest_first:
        return None
    alternatives = "|".join(re.escape(name) for name in longest_first)
    return re.compile(rf"(?<![A-Za-z0-9])(?:{alternatives})(?![A-Za-z0-9])", flags)


@dataclass(frozen=True)
class Identity:
    """User names, homes, host names and addresses to mask wherever they stand as whole words.

    Names that are short or say nobody (`root`, `a`) are masked only as a part of a path.
    """

    users: tuple[str, ...] = ()
    homes: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()

    @classmethod
    def here(cls) -> "Identity":
        """This process's person and machine, without asking a name server: that can hang."""
        env = os.environ.get
        users = [env(name, "") for name in ("USER", "LOGNAME", "SUDO_USER", "SLURM_JOB_USER")]
        homes = [env("HOME", "")]
        with contextlib.suppress(OSError, KeyError, ImportError):
            users.append(getpass.getuser())
        with contextlib.suppress(KeyError):
            entry = pwd.getpwuid(os.getuid())
            homes.append(entry.pw_dir)
            full_name = entry.pw_gecos.split(",")[0].strip()
            users += [entry.pw_name, full_name if " " in full_name else ""]
        with contextlib.suppress(RuntimeError, OSError):
            homes += [str(Path.home()), str(Path.home().resolve())]
        hosts = [socket.gethostname(), os.uname().nodename]
        hosts += [env(name, "") for name in ("HOSTNAME", "SLURM_SUBMIT_HOST", "SLURMD_NODENAME")]
        hosts += [host.split(".")[0] for host in hosts]
        return cls(_distinct(users), _distinct(homes), _distinct(hosts), _distinct(_own_addresses()))

    def rules(self) -> list[tuple[re.Pattern[str], str]]:
        """Patterns, each linear in the text, with the marker for what they match."""
        everywhere = [user for user in self.users if len(user) > 2 and user.lower() not in _NOBODY]
        in_paths = [user for user in self.users if user.lower() not in _NOBODY - {"test", "data", "work"}]
        homes = sorted({home.rstrip("/") for home in self.homes} - _NO_HOME - {""}, key=len, reverse=True)
        rules: list[tuple[re.Pattern[str], str]] = []
        if homes:
            alternatives = "|".join(re.escape(home) for home in homes)
            rules.append((re.compile(rf"(?:{alternatives})(?![\w.-])"), HOME))
        if addresses := [address for address in self.addresses if not address.startswith("127.")]:
            alternatives = "|".join(re.escape(address) for address in addresses)
            rules.append((re.compile(rf"(?<![\w.:])(?:{alternatives})(?![\w:]|\.\d)", re.IGNORECASE), ADDRESS))
        rules += [(re.compile(pattern, re.IGNORECASE), HOST) for pattern in self._domains()]
        if hosts := _whole(self._distinctive_hosts(), re.IGNORECASE):
            rules.append((hosts, HOST))
        if users := _whole(everywhere):
            rules.append((users, USER))
        if in_paths:
            alternatives = "|".join(re.escape(user) for user in sorted(in_paths, key=len, reverse=True))
            rules.append((re.compile(rf"(?<=/)(?:{alternatives})(?=/|$|[\s\"':;,)])"), USER))
        return rules

    def _distinctive_hosts(self) -> list[str]:
        return [host for host in self.hosts if len(host) > 2 and host.lower() not in _NO_HOST]

    def _domains(self) -> Iterator[str]:
        """Any host beside this one: what a worker's log names is a host of the same site."""
        for domain in {host.partition(".")[2] for host in self._distinctive_hosts()}:
            if "." in domain and not f".{domain}".endswith(_ENDS_NO_DOMAIN):
                yield rf"(?<![\w-])(?:[\w-]{{1,63}}+\.){{1,4}}{re.escape(domain)}(?![A-Za-z0-9])"


def spans(line: str, rules: list[tuple[re.Pattern[str], str]]) -> Iterator[Span]:
    """Where the identity's names stand in a line."""
    for pattern, marker in rules:
        for match in pattern.finditer(line):
            yield Span(*match.span(), marker)


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))


def _own_addresses() -> Iterator[str]:
    # Connecting a datagram socket sends nothing: the kernel only picks the interface it would use.
    for family, elsewhere in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((elsewhere, 9))
            yield probe.getsockname()[0]
