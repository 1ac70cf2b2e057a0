"""What is seen of a service while it is loaded: told as it is seen, under pseudonyms. See `clients/answers.py`."""

import ipaddress
import socket
import time
from urllib.parse import urlsplit

import asking
import balancer
import servers
import telling

ROWS_A_LINE = 1000
# For all that is asked of servers elsewhere, each time.
ASK_S = 2.0


class Watch:
    """`url` is what is loaded; `admin` HOST:PORT of Envoy's admin, None to try the usual port of the URL's host."""

    def __init__(self, url, key, admin):
        parts = urlsplit(url)
        self._key = key
        self._named = parts.netloc.rpartition("@")[2]
        self._port = parts.port or 80
        self._address = (_resolved(parts.hostname) or "", self._port)
        self._admin, self._why = self._find(parts.hostname, admin)
        # Whom an admin tells of that nobody named may be anybody: not to be asked for that.
        self._may_ask = admin is not None or self._admin is None
        self._servers = None

    def _find(self, host, named):
        """The admin that answers as an Envoy of ours, else why there is none."""
        if named is not None:
            where, _, port = named.rpartition(":")
            admin = balancer.Admin((where.strip("[]"), int(port)))
            return (admin, "watched") if admin.backends() is not None else (None, "no_answer")
        admin = balancer.Admin((host, balancer.DEFAULT_PORT), balancer.TRY_S)
        if admin.backends() is None:
            return None, "no_answer"
        if not admin.listens_on(self._port):
            return None, "other_port"
        return balancer.Admin((host, balancer.DEFAULT_PORT)), "watched"

    def before(self):
        """Tell who is there, and what the counters say."""
        backends = list((self._admin.backends() if self._admin else None) or ())
        is_balancer = bool(backends) and self._address not in backends
        backends = [one for one in backends if _is_numeric(one[0])]
        here = [self._address] if self._address[0] else []
        self._servers = servers.Servers(
            self._address if is_balancer and here else None, backends or here, self._may_ask or not backends
        )
        rows = [(self._name(one.address), one.role, one.how) for one in self._servers.all]
        for start in range(0, max(1, len(rows)), ROWS_A_LINE):
            telling.answer("watch", balancer=self._why, servers=rows[start : start + ROWS_A_LINE])
        self.again()

    def again(self):
        """Tell once more what the counters say before the load."""
        self._tell_passed("before")
        self.look()

    def look(self):
        """Tell how things stand."""
        rows = self._servers.look(time.monotonic() + ASK_S)
        at = time.time()
        if rows:
            telling.answer("usage", at=at, rows=rows)
        if self._admin is None:
            return
        backends, counters = self._admin.backends(), self._admin.counters()
        if backends is not None and counters is not None:
            memory = self._admin.memory_bytes()
            healthy = sum(well for _, well in backends.values())
            telling.answer(
                "balancer", at=time.time(), backends=len(backends), healthy=healthy, memory_bytes=memory, **counters
            )

    def notice(self, seen):
        """Look at the backends' health alone, and tell what changed; False where nobody answers."""
        backends = self._admin.backends() if self._admin else None
        if backends is None:
            return False
        changed = seen.changed(backends)
        if changed is not None:
            telling.answer("health", at=time.time(), backends=changed[0], healthy=changed[1])
        return True

    def after(self):
        """Tell what the counters say now."""
        self.look()
        self._tell_passed("after")

    def _tell_passed(self, when):
        backends = self._admin.backends() if self._admin else None
        rows = [(self._name(address), requests) for address, (requests, _) in (backends or {}).items()]
        for start in range(0, len(rows), ROWS_A_LINE):
            telling.answer("passed", when=when, at=time.time(), rows=rows[start : start + ROWS_A_LINE])

    def _name(self, address):
        """The pseudonym under which the clients tell of it, where it calls itself by its address."""
        if address == self._address:
            return telling.pseudonym(self._key, self._named)
        return telling.pseudonym(self._key, asking.named(address))


def _resolved(host):
    """The address behind a name, None where there is none."""
    try:
        return socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0]
    except (OSError, UnicodeError):
        return None


def _is_numeric(host):
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
