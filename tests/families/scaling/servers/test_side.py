"""What the service's side of a load says, and what it makes of a record: by answers as they are told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.families.scaling.clients.answers import (
    Answer,
    BalancerState,
    Begin,
    ClientLoad,
    Counts,
    End,
    FaultDone,
    Health,
    Names,
    Passed,
    PhaseHistogram,
    Row,
    Rows,
    Usage,
    Watching,
)
from perfdb.families.scaling.clients.merge import Load, merge
from perfdb.families.scaling.histogram import Histogram
from perfdb.families.scaling.servers.checks import disagreement, healthy, no_fault, seen, unevenness, unhealthy
from perfdb.families.scaling.servers.fault import cost_of
from perfdb.families.scaling.servers.side import COUNTERS, Fault, ServerSide

BEGAN = 1000.0
HOSTS = ("a" * 12, "b" * 12, "c" * 12)
# A session: when it was scheduled, how long it lasted, how it ended.
Session = tuple[float, float, str]


def client(sessions: list[Session], wall_s: float = 10.0) -> list[Answer]:
    """What a client says of sessions that went to the hosts in turn."""
    outcomes = [outcome for *_, outcome in sessions]
    counts = {outcome: outcomes.count(outcome) for outcome in set(outcomes)}
    rows = tuple(
        Row(n, round(at * 1e6), 0, None, None, None, None, round(lasted * 1e6), None, None, None, n % 3, how, None)  # type: ignore[arg-type]
        for n, (at, lasted, how) in enumerate(sessions)
    )
    took = {
        word: Histogram.of(round(lasted * 1e6) for _, lasted, how in sessions if (how == "ok") == (word == "ok"))
        for word in ("ok", "failed")
    }
    told: list[Answer] = [
        Begin(
            kind="begin", client=0, clients=1, begin_at=BEGAN, late_s=0, python="3", files=9, ports=9, cpus=2, clock_resolution_s=1e-9
        ),
        *(Counts(kind="counts", client=0, window=window, outcomes=counts, close_failed=0) for window in ("steady", "all")),
        ClientLoad(
            kind="load", client=0, wall_s=wall_s, cpu_s=1, highest_cpu_share=0, waited_for_cpu_s=None, send_lag=None, tick_lag=None, longest_busy_s=0
        ),
        Names(kind="names", client=0, hosts=HOSTS, troubles=(), rows=len(rows), left_out=0),
        *(PhaseHistogram(kind="histogram", client=0, phase="total", outcome=word, encoded=one.encoded()) for word, one in took.items()),
        Rows(kind="rows", client=0, rows=rows),
    ]  # fmt: skip
    given = dict(Counter(answer.kind for answer in told))
    return [*told, End(kind="end", client=0, outcome="all", trouble=None, given=given)]


def state(at: float, healthy: int = 3, **counters: int) -> BalancerState:
    """The balancer of three, so many seconds after the load's beginning."""
    told: dict[str, Any] = dict.fromkeys(COUNTERS, 7)
    told |= {name: 7 + count for name, count in counters.items()}
    return BalancerState(kind="balancer", at=BEGAN + at, backends=3, healthy=healthy, memory_bytes=5, **told)


def passed(before: Mapping[str, int], after: Mapping[str, int]) -> list[Answer]:
    return [
        Passed(kind="passed", when="before", at=BEGAN - 1, rows=tuple(before.items())),
        Passed(kind="passed", when="after", at=BEGAN + 11, rows=tuple(after.items())),
    ]


def balanced(sessions: list[Session], sent: Mapping[str, int], *more: Answer, names: tuple[str, ...] = HOSTS) -> Load:
    """A load through a balancer that says it sent so many to each backend."""
    before = dict.fromkeys(names, 5)
    after = {name: 5 + count for name, count in sent.items()}
    return merge([*client(sessions), *passed(before, after), state(-1), state(10.5), *more])


def fine(count: int) -> list[Session]:
    return [(n / 100, 0.1, "ok") for n in range(count)]


def test_usage_is_that_between_the_looks_nearest_to_the_loads_beginning_and_end():
    watching = Watching(
        kind="watch", balancer="no_answer", servers=(("a" * 12, "backend", "processes"), ("b" * 12, "balancer", "none"))
    )
    looks = [(-60, 1.0, 9, 9), (0.1, 2.0, 5, 3), (5, 6.0, 7, 4), (10.1, 12.0, 6, 5), (30, 99.0, 99, 99)]
    usage = [
        Usage(kind="usage", at=BEGAN + at, rows=((0, cpu, memory, threads, 1),)) for at, cpu, memory, threads in looks
    ]
    found = merge([*client(fine(9)), watching, *usage]).server
    assert found.watched_s == pytest.approx(10.0)
    assert found.of_role("balancer") == {}
    (used,) = found.of_role("backend").values()
    assert (used.cpu_s, used.memory_bytes, used.threads) == (10.0, 7, 5)


@given(st.integers(0, 300), st.integers(0, 50), st.data())
def test_counters_that_sessions_explain_agree(ok, failed, data):
    """Any of the failed sessions may have been sent to any backend, or to none."""
    sessions = [*fine(ok), *[(0.0, 0.1, "reset")] * failed]
    sent = {host: len(range(place, ok, 3)) for place, host in enumerate(HOSTS)}
    for _ in range(data.draw(st.integers(0, failed))):
        sent[data.draw(st.sampled_from(HOSTS))] += 1
    assert disagreement(balanced(sessions, sent), "ws") is None
    resets = dict.fromkeys(HOSTS, 0)  # each goes to the next host
    resets[data.draw(st.sampled_from(HOSTS))] += ok
    assert disagreement(balanced(sessions, {host: sent[host] + resets[host] for host in HOSTS}), "http") is None
    elsewhere = {name: sent[host] for name, host in zip(("1" * 12, "2" * 12, "3" * 12), HOSTS, strict=True)}
    assert disagreement(balanced(sessions, elsewhere, names=tuple(elsewhere)), "ws") is None


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ((100, 100, 160), "the clients sent 300 at most: somebody else loads the service too"),
        ((0, 0, 0), "the balancer passed on 0 requests, and 300 sessions of 1 each succeeded: they went another way"),
        ((100, 110, 90), "1 host answered more than the balancer sent there"),
    ],
)
def test_counters_that_no_session_explains_are_told(sent, says):
    load = balanced(fine(300), dict(zip(HOSTS, sent, strict=True)))
    assert says in (disagreement(load, "ws") or "")


def test_numbers_are_compared_where_names_differ():
    other = ("1" * 12, "2" * 12, "3" * 12)
    load = balanced(fine(300), dict(zip(other, (120, 90, 90), strict=True)), names=other)
    assert "hosts answered 100, 100, 100 sessions, the balancer passed on 120, 90, 90 requests" in (
        disagreement(load, "ws") or ""
    )


def test_a_look_now_and_then_whether_the_balancer_is_alive_is_nothing():
    load = balanced(fine(300), dict(zip(HOSTS, (104, 103, 103), strict=True)))
    assert disagreement(load, "ws") is None


def test_counters_that_were_set_back_or_cut_off_say_nothing():
    back = merge([*client(fine(3)), *passed({"a" * 12: 9}, {"a" * 12: 1}), state(0)])
    half = merge([*client(fine(3)), passed({"a" * 12: 9}, {})[0], state(0)])
    for load in (back, half, merge(client(fine(3)))):
        assert not load.server.balancer_watched
        assert disagreement(load, "ws") is None
        assert unhealthy(load) is None


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (state(3, healthy=2), "1 of 3 backends were not healthy"),
        (Health(kind="health", at=BEGAN + 3, backends=3, healthy=1), "2 of 3 backends were not healthy"),
        (state(10.6, ejections=2), "2 ejections by outlier detection"),
        (state(10.6, panics=4), "4 sessions sent to any backend"),
        (state(10.6, none_healthy_503=1), "1 refused since none was healthy"),
        (state(10.6, health_failures=3, health_refusals=2), "2 health checks that a backend answered with no success"),
        (state(10.6, membership_changes=1), "1 times that backends came or went"),
    ],
)
def test_a_backend_that_was_ejected_is_told(more, says):
    sent = dict.fromkeys(HOSTS, 1)
    assert says in (unhealthy(balanced(fine(3), sent, more)) or "")
    assert unhealthy(balanced(fine(3), sent)) is None


def test_a_health_check_without_an_answer_ejects_nobody_and_is_told():
    load = balanced(fine(3), dict.fromkeys(HOSTS, 1), state(10.6, health_failures=2))
    assert unhealthy(load) is None
    assert healthy([load, load]).endswith("once a second; 4 health checks had no answer meanwhile")
    assert healthy([balanced(fine(3), dict.fromkeys(HOSTS, 1))]).endswith("; no health check failed meanwhile")


def test_what_a_balancer_elsewhere_allocated_is_told():
    watching = Watching(kind="watch", balancer="watched", servers=(("a" * 12, "balancer", "none"),))
    load = balanced(fine(3), dict.fromkeys(HOSTS, 1), state(5), watching)
    assert "it had allocated at most 5 B" in seen(load)[1]


def test_what_was_before_the_load_is_no_fault_of_it():
    load = merge(
        [
            *client(fine(3)),
            state(-300, healthy=0),
            *passed({"a" * 12: 0}, {"a" * 12: 3}),
            state(0, panics=9),
            state(9, panics=9),
        ]
    )
    assert unhealthy(load) is None


def spread_over(*sessions: int) -> Load:
    told = [(host, n) for host, count in enumerate(sessions) for n in range(count)]
    rows = [
        Row(n, 0, 0, None, None, None, None, 1, None, None, None, host, "ok", None) for n, (host, _) in enumerate(told)
    ]
    names = tuple(f"{host:012x}" for host in range(len(sessions)))
    others = (one for one in client([(0.0, 0.1, "ok")] * len(rows)) if not isinstance(one, Names | Rows))
    named = Names(kind="names", client=0, hosts=names, troubles=(), rows=len(rows), left_out=0)
    return merge([named, Rows(kind="rows", client=0, rows=tuple(rows)), *others])


@pytest.mark.parametrize(
    ("sessions", "uneven"),
    [
        ((200, 200, 200), False),
        ((210, 195, 195), False),  # turns, by several threads
        ((90, 1), False),  # too few to tell
        ((60, 50, 40), False),  # a spread of 40 % that chance makes often
        ((300, 150, 150), True),
        ((599, 1), True),
        ((600, 0), False),  # one host: that is another check's
    ],
)
def test_hosts_are_uneven_where_neither_the_bound_nor_chance_excuses_it(sessions, uneven):
    assert (unevenness(spread_over(*sessions), 0.2, 0.95, None) is not None) == uneven


def test_a_silent_backend_is_uneven_whether_the_balancer_knew_it_or_it_was_expected():
    load = spread_over(300, 300)
    knew = replace(load, server=ServerSide(backends=3))
    for judged, expected in ((knew, None), (load, 3), (knew, 2)):
        assert "3 hosts had 0 to 300 sessions, a spread of 150%" in (unevenness(judged, 0.2, 0.95, expected) or "")
    assert unevenness(load, 0.2, 0.95, 2) is None
    assert unevenness(spread_over(40, 40), 0.2, 0.95, 3) is None  # too few to tell


# At random, as Envoy does it: a malicious one could let all its threads begin with the same host.
@given(st.integers(1, 64), st.integers(2, 8), st.integers(50, 120), st.randoms(use_true_random=True))
def test_a_balancer_whose_threads_take_turns_is_never_uneven(threads, hosts, each, chance):
    dealt = [chance.randrange(threads) for _ in range(hosts * each)]
    counts = [0] * hosts
    for thread in range(threads):
        first = chance.randrange(hosts)
        for n in range(dealt.count(thread)):
            counts[(first + n) % hosts] += 1
    assert unevenness(spread_over(*counts), 0.2, 0.95, hosts) is None


def test_a_load_that_was_not_borne_says_nothing_of_evenness():
    load = spread_over(300, 150, 150)
    assert unevenness(replace(load, all={"ok": 600, "capacity": 100}), 0.2, 0.95, None) is None


def faulty(sessions: list[Session], *more: Answer, code: int | None = 0) -> Load:
    return merge(
        [*client(sessions), FaultDone(kind="fault", at=BEGAN + 2, took_s=0.1, code=code), state(0), state(1), *more]
    )


def test_a_faults_cost_is_counted_from_its_command():
    sessions: list[Session] = [
        (0.5, 0.1, "reset"),  # over before
        (1.5, 1.0, "reset"),  # under way
        (2.5, 0.1, "refused"),
        (3.5, 0.1, "503"),
        *((at / 10, 0.1, "ok") for at in range(36, 100)),
    ]
    health = [(2.4, 3), (3.25, 2), (5.0, 2), (6.5, 3)]
    told = [Health(kind="health", at=BEGAN + at, backends=3, healthy=count) for at, count in health]
    cost = cost_of(faulty(sessions, *told))
    assert cost is not None
    assert (cost.lost, cost.recover_s, cost.eject_s, cost.readmit_s) == (3, 1.5, 1.25, 4.5)


def test_what_did_not_come_about_within_the_load_has_no_value():
    cost = cost_of(faulty([(float(at) / 10, 0.1, "reset" if at > 20 else "ok") for at in range(100)]))
    assert cost is not None
    assert (cost.lost, cost.recover_s, cost.eject_s, cost.readmit_s) == (79, None, None, None)


def test_a_fault_that_costs_nothing_is_over_at_once():
    cost = cost_of(faulty(fine(900)))
    assert cost is not None
    assert (cost.lost, cost.recover_s) == (0, 0.0)


def test_sessions_that_only_were_under_way_are_lost_and_no_later_one_waits():
    cost = cost_of(faulty([(1.9, 0.5, "reset"), *fine(900)]))
    assert cost is not None
    assert (cost.lost, cost.recover_s) == (1, 0.0)


def test_without_every_session_nobody_knows_what_was_lost():
    load = faulty([(2.5, 0.1, "refused"), *fine(900)])
    cost = cost_of(replace(load, left_out=1))
    assert cost is not None
    assert (cost.lost, cost.recover_s) == (None, None)


def test_a_fault_whose_command_did_not_do_it_is_none():
    assert "ended with code 1" in (no_fault(faulty(fine(9), code=1)) or "")
    assert "could not be run" in (no_fault(faulty(fine(9), code=None)) or "")
    assert "over before the fault" in (no_fault(merge(client(fine(9)))) or "")
    assert no_fault(faulty(fine(9))) is None


@given(st.lists(st.integers(0, 20), max_size=25, unique=True))
def test_answers_that_end_anywhere_give_an_account(places):
    everything = [
        *client(fine(9)),
        *passed({"a" * 12: 1}, {"a" * 12: 9}),
        state(0),
        state(9, healthy=2),
        Health(kind="health", at=BEGAN + 3, backends=3, healthy=1),
        FaultDone(kind="fault", at=BEGAN + 2, took_s=0, code=0),
        Watching(kind="watch", balancer="watched", servers=(("a" * 12, "backend", "stats"),)),
        Usage(kind="usage", at=BEGAN, rows=((0, 1, 1, 1, 1), (5, 1, 1, 1, 1))),
        Usage(kind="usage", at=BEGAN + 9, rows=((0, 2, 1, 1, 1), (5, 1, 1, 1, 1))),
    ]
    load = merge([answer for place, answer in enumerate(everything) if place not in places])
    assert isinstance(load.server, ServerSide)
    assert load.server.fault is None or isinstance(load.server.fault, Fault)
    for check in (lambda: disagreement(load, "ws"), lambda: unhealthy(load), lambda: cost_of(load)):
        check()
