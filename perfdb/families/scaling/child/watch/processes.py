"""What /proc says of the processes that listen at an address: found by the socket, never by a number that somebody told."""

import collections
import ipaddress
import itertools
import os
import socket
import struct
import time

_LISTENS, _HALF_OPEN = "0A", "03"
# A process may be handed a listening socket by another one after its start, not much later.
YOUNG_S = 10.0
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
# Of a process: CPU seconds, those of its children that ended, its parent, threads, when it began in ticks since boot,
# and resident bytes.
Stat = collections.namedtuple("Stat", "cpu_s children_s parent threads began memory")


def listeners(text):
    """`(address, port, inode)` of each listening socket in the text of /proc/net/tcp or tcp6."""
    found = []
    for line in text.splitlines()[1:]:
        words = line.split()
        try:
            if words[3] == _LISTENS:
                packed, _, port = words[1].partition(":")
                found.append((_address(packed), int(port, 16), int(words[9])))
        except (IndexError, ValueError, struct.error):
            continue
    return found


def _address(packed):
    """In words of 32 bits, each as the machine orders its bytes."""
    data = bytes.fromhex(packed)
    if len(data) not in (4, 16):
        raise ValueError("no address")
    address = ipaddress.ip_address(
        b"".join(struct.pack(">I", word) for word in struct.unpack(f"={len(data) // 4}I", data))
    )
    return getattr(address, "ipv4_mapped", None) or address


def parse_stat(text):
    """The `Stat` of /proc/PID/stat. Raises ValueError or IndexError where it is none."""
    words = text.rpartition(")")[2].split()  # a program's name may hold blanks and brackets
    user, system, their_user, their_system = map(int, words[11:15])
    return Stat(
        cpu_s=(user + system) / TICKS,
        children_s=(their_user + their_system) / TICKS,
        parent=int(words[1]),
        threads=int(words[17]),
        began=int(words[19]),
        memory=int(words[21]) * PAGE,
    )


def since_boot():
    """Now, in whole ticks since boot."""
    return int(time.clock_gettime(time.CLOCK_BOOTTIME) * TICKS)


def is_ours(host):
    """Whether that is an address of this machine."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((host, 0))
    except OSError:
        return False
    return True


class Holders:
    """Which processes hold the listening socket of an address.

    Who is known to hold one, or to hold none, is not looked at again unless one of the addresses has a socket that is new; the
    young that hold none are.
    """

    def __init__(self):
        self._known = {}  # by PID: when it began, and which sockets it holds
        self._inodes = set()

    def of(self, addresses):
        """`{(host, port): set of PIDs}` for those where somebody we may look at listens."""
        wanted = _inodes(addresses)
        if not wanted.keys() <= self._inodes:
            self._known.clear()
        self._inodes = set(wanted)
        self._learn(wanted)
        found = {}
        for pid, (_, held) in self._known.items():
            for inode in held & wanted.keys():
                for address in wanted[inode]:
                    found.setdefault(address, set()).add(pid)
        return found

    def _learn(self, wanted):
        """What there is to know of every process that runs now."""
        pids = [int(name) for name in os.listdir("/proc") if name.isdecimal()]
        begun = {pid: told.began for pid in pids if (told := stat(pid)) is not None}
        grown_up = since_boot() - YOUNG_S * TICKS
        self._known = {pid: known for pid, known in self._known.items() if begun.get(pid) == known[0]}
        for pid, since in begun.items():
            if pid not in self._known:
                held = self._listening(pid, wanted)
                if held or since < grown_up:
                    self._known[pid] = since, held

    def _listening(self, pid, wanted):
        folder = f"/proc/{pid}/fd"
        held = set()
        try:
            for name in os.listdir(folder):
                link = os.readlink(os.path.join(folder, name))
                if link.startswith("socket:[") and int(link[8:-1]) in wanted:
                    held.add(int(link[8:-1]))
        except (OSError, ValueError):
            pass  # it is gone, or another user's
        return held


def stat(pid):
    """The `Stat` of a process, None where there is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return parse_stat(file.read())
    except (OSError, ValueError, IndexError):
        return None


def _may_listen(line):
    words = line.split(None, 4)
    return len(words) < 4 or words[3] in (_LISTENS, _HALF_OPEN, "st")


def _inodes(addresses):
    """`{inode: those of the addresses that it listens at}`; one for every address of the machine counts for each."""
    sockets = []
    for name in ("tcp", "tcp6"):
        try:
            with open("/proc/net/" + name, encoding="ascii", errors="replace") as file:
                # Those that listen stand first: of a busy machine's connections none is asked for.
                sockets += listeners("".join(itertools.takewhile(_may_listen, file)))
        except OSError:
            continue
    found = {}
    for host, port in addresses:
        address = ipaddress.ip_address(host)
        for at, on, inode in sockets:
            if on == port and (at == address or at.is_unspecified):
                found.setdefault(inode, []).append((host, port))
    return found
