"""What /proc says of the processes that listen at an address: found by the socket, never by a number that somebody told."""

import ipaddress
import os
import socket
import struct

_LISTENS = "0A"
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


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
    """`(CPU seconds, threads, when it began, resident bytes)` of /proc/PID/stat; when it began in ticks since boot.

    Raises ValueError or IndexError where it is none.
    """
    words = text.rpartition(")")[2].split()  # a program's name may hold blanks and brackets
    cpu = int(words[11]) + int(words[12])
    return cpu / TICKS, int(words[17]), int(words[19]), int(words[21]) * PAGE


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
    """Which processes hold the listening socket of an address. What was no holder is not looked at again."""

    def __init__(self):
        self._known = {}

    def of(self, addresses):
        """`{(host, port): set of PIDs}` for those where somebody we may look at listens."""
        wanted = _inodes(addresses)
        found = {}
        for pid in self._others():
            for inode in self._listening(pid, wanted):
                for address in wanted[inode]:
                    found.setdefault(address, set()).add(pid)
        return found

    def _others(self):
        """Processes that are new to us, or hold what was wanted before."""
        pids = [int(name) for name in os.listdir("/proc") if name.isdecimal()]
        begun = {}
        for pid in pids:
            try:
                begun[pid] = stat(pid)[2]
            except (OSError, ValueError, IndexError):
                continue
        for pid in [pid for pid, since in self._known.items() if begun.get(pid) != since]:
            del self._known[pid]
        for pid, since in begun.items():
            if pid not in self._known:
                self._known[pid] = since
                yield pid

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
        if held:
            self._known.pop(pid, None)
        return held


def stat(pid):
    """`parse_stat` of a process. Raises OSError where there is none, else as that."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        return parse_stat(file.read())


def _inodes(addresses):
    """`{inode: those of the addresses that it listens at}`; one for every address of the machine counts for each."""
    sockets = []
    for name in ("tcp", "tcp6"):
        try:
            with open("/proc/net/" + name, encoding="ascii", errors="replace") as file:
                sockets += listeners(file.read())
        except OSError:
            continue
    found = {}
    for host, port in addresses:
        address = ipaddress.ip_address(host)
        for at, on, inode in sockets:
            if on == port and (at == address or at.is_unspecified):
                found.setdefault(inode, []).append((host, port))
    return found
