"""What a client makes of its own figures."""

from __future__ import annotations

import errno

import pytest

from tests.families.scaling.loads import child_modules

account, engine, faults = child_modules("account", "engine", "faults")


@pytest.mark.parametrize(
    ("cpu", "share"),
    [
        ([], 0.0),
        ([(0.0, 5.0)], 0.0),
        ([(0.0, 5.0), (0.2, 5.1)], 0.5),  # a load of 0.2 s has used half a core, not a tenth of a second
        ([(0.0, 5.0), (0.4, 5.4)], 1.0),
        ([(0.0, 5.0), (0.0, 5.0)], 0.0),
        ([(0.0, 5.0), (1e-6, 5.001)], 0.1),
        ([(0.0, 0.0), (1.0, 0.2), (2.0, 1.0), (3.0, 1.1)], 0.8),
        ([(0.0, 0.0), (1.0, 0.2), (1.25, 0.45)], 0.36),  # a quarter of a second at the end is no second
        ([(0.0, 0.0), (1.0, 0.2), (1.5, 0.7)], 1.0),
    ],
)
def test_the_busiest_second_is_a_share_of_a_core_however_short_the_load(cpu, share):
    assert account.highest_share(cpu) == pytest.approx(share)


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ECONNREFUSED, "refused"),
        (errno.EHOSTUNREACH, "refused"),
        (errno.ENETUNREACH, "refused"),
        (errno.ECONNRESET, "reset"),
        (errno.ETIMEDOUT, "timeout"),
        (errno.EPERM, "client"),  # a firewall of our own, or its table of connections is full
        (errno.ENOSPC, "client"),  # so many descriptors may not be watched
        (errno.EMFILE, "client"),
        (errno.EADDRNOTAVAIL, "client"),
        (None, "client"),
    ],
)
def test_an_error_that_no_service_can_bring_about_is_the_clients_own(number, kind):
    fault = faults.of_error(OSError(number, "words"))
    assert (fault.kind, fault.text) == (kind, "words")


def test_a_connection_that_ends_without_a_reason_is_reset():
    class Sock:
        """A socket whose connection is gone, and of which the kernel does not say why."""

        def getsockopt(self, *_: int) -> int:
            return 0

    class Session:
        connected, sock, answered, fault = False, Sock(), None, None

    failed = []
    loop = engine.Engine.__new__(engine.Engine)
    loop._fail = lambda session, fault, at: failed.append(fault.kind)
    loop._on(Session(), engine.select.EPOLLHUP, 0.0)
    assert failed == ["reset"]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("upstream connect error worker-7.cluster.example:8000 hunter2-token", "upstream connect error … …"),
        (
            '{"detail": "Server at capacity: 100/100", "host": "10.1.2.3"}',
            '{"detail": "Server at capacity: …", "host": "…"}',
        ),
        ("CAPACITY_REACHED by alice@node17 in [fe80::1]", "CAPACITY_REACHED by … in […]"),
    ],
)
def test_of_a_services_words_only_those_of_letters_are_kept(said, kept):
    assert faults.theirs(said) == kept
