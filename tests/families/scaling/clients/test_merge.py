from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.families.scaling.clients.answers import (
    Answer,
    Begin,
    ClientLoad,
    Counts,
    End,
    InFlight,
    Names,
    PhaseHistogram,
    Row,
    Rows,
    Spread,
    read_answers,
)
from perfdb.families.scaling.clients.merge import OUTCOMES, Curve, Latency, Load, merge
from perfdb.families.scaling.histogram import Histogram
from perfdb.processes.log import Line

spans = st.tuples(st.integers(0, 5000), st.integers(0, 3000))
sessions = st.lists(st.tuples(spans, st.sampled_from(OUTCOMES)), max_size=40)


def said(client: int, clients: int, share: list[tuple[tuple[int, int], str]]) -> list[Answer]:
    """What a client says of sessions that began, and lasted, so many milliseconds."""
    changes: dict[int, int] = {}
    for (begun, lasted), _ in share:
        changes[begun] = changes.get(begun, 0) + 1
        changes[begun + lasted] = changes.get(begun + lasted, 0) - 1
    outcomes = [outcome for _, outcome in share]
    counts = {outcome: outcomes.count(outcome) for outcome in set(outcomes)}
    spread = Spread(count=1, p50_s=client, p99_s=client, max_s=client)
    found: list[Answer] = [
        Begin(
            kind="begin",
            client=client,
            clients=clients,
            begin_at=1.0,
            late_s=0,
            python="3.11.7",
            files=100,
            ports=100,
            cpus=2,
            clock_resolution_s=1e-9,
        ),
        *(
            Counts(kind="counts", client=client, window=window, outcomes=counts, close_failed=0)
            for window in ("steady", "all")
        ),
        ClientLoad(
            kind="load",
            client=client,
            wall_s=1,
            cpu_s=0.5,
            highest_cpu_share=client / 10,
            waited_for_cpu_s=None,
            send_lag=spread,
            tick_lag=None,
            longest_busy_s=0,
        ),
    ]
    for outcome in ("ok", "failed"):
        took = [lasted for (_, lasted), how in share if (how == "ok") == (outcome == "ok")]
        encoded = Histogram.of(took).encoded()
        found.append(PhaseHistogram(kind="histogram", client=client, phase="total", outcome=outcome, encoded=encoded))
    found.append(InFlight(kind="in_flight", client=client, what="sessions", changes=tuple(sorted(changes.items()))))
    # Every client counts hosts in its own order.
    hosts = ("a" * 12, "b" * 12)[:: 1 if client % 2 else -1]
    found.append(Names(kind="names", client=client, hosts=hosts, troubles=("told",), rows=len(share), left_out=0))
    rows = tuple(
        Row(n, begun, 0, None, None, None, None, lasted, None, None, None, 0, how, 0)
        for n, ((begun, lasted), how) in enumerate(share)
    )
    return [
        *found,
        Rows(kind="rows", client=client, rows=rows),
        End(kind="end", client=client, outcome="all", trouble=None),
    ]


@given(sessions, st.integers(1, 5))
def test_shares_add_up_to_the_whole(everything, clients):
    whole = merge(said(0, 1, everything))
    shares = [said(client, clients, everything[client::clients]) for client in range(clients)]
    merged = merge([answer for share in shares for answer in share])
    assert merged.complete
    assert (merged.all, merged.steady) == (whole.all, whole.steady)
    assert merged.sessions == whole.sessions
    assert merged.sessions.peak == whole.sessions.peak
    assert merged.sessions.mean(0, 10) == pytest.approx(sum(lasted for (_, lasted), _ in everything) / 1e3 / 10)
    for mine, theirs in zip(merged.latencies.values(), whole.latencies.values(), strict=True):
        assert mine.ok.counts == theirs.ok.counts
        assert mine.failed.counts == theirs.failed.counts
    assert len(merged.told) == len(everything)
    assert [one.row.scheduled_us for one in merged.told] == sorted(begun for (begun, _), _ in everything)
    assert merged.left_out == 0


@given(sessions, st.integers(0, 30), st.integers(0, 30))
def test_answers_that_end_anywhere_are_made_the_best_of(everything, first, second):
    shares = [said(client, 2, everything[client::2]) for client in range(2)]
    merged = merge(shares[0][:first] + shares[1][:second])
    assert merged.complete == (first >= len(shares[0]) and second >= len(shares[1]))
    assert len(merged.told) + merged.left_out == max(sum(merged.all.values()), len(merged.told))
    assert merged.silent == tuple(n for n in range(merged.planned) if n not in merged.ends)


def test_names_are_those_of_the_client_that_gave_the_row():
    share = [((0, 1), "ok")]
    merged = merge(said(0, 2, share) + said(1, 2, share))
    assert {one.client: one.host for one in merged.told} == {0: "b" * 12, 1: "a" * 12}
    assert merged.by_host == {"a" * 12: 1, "b" * 12: 1}


def test_the_worst_client_speaks_for_all():
    merged = merge(said(0, 3, []) + said(1, 3, []) + said(2, 3, []))
    assert merged.send_lag == Spread(count=3, p50_s=2, p99_s=2, max_s=2)
    assert merged.tick_lag is None
    assert (merged.cpu_s, merged.highest_cpu_share) == (1.5, 0.2)


def test_a_failed_session_is_slower_than_every_success():
    latency = Latency(Histogram.of([100] * 98), Histogram.of([1, 1]))
    assert latency.answered_s(0.99) == 1e-4
    assert latency.all_s(0.98) == 1e-4
    assert latency.all_s(0.99) is None
    assert Latency().all_s(0.5) is None
    assert Latency().mean_s is None


def test_a_mean_over_a_part_counts_what_was_under_way_when_it_began():
    curve = Curve({0: 2, 1000: 2, 3000: -4})
    assert curve.mean(0.5, 2.0) == pytest.approx((2 * 0.5 + 4 * 1.0) / 1.5)
    assert curve.mean(2.0, 4.0) == pytest.approx(2.0)
    assert (curve.peak, curve.at(1.0), curve.at(0.999), curve.at(3.0)) == (4, 4, 2, 0)


def test_littles_law_is_told_where_nothing_failed():
    steps = Curve({0: 5, 10_000: -5})
    load = Load(steps=steps, latencies={"step": Latency(Histogram.of([500_000] * 100))})
    law = load.littles_law(0, 10)
    assert law is not None
    assert (law.mean, law.expected) == pytest.approx((5.0, 10.0 * 0.5), rel=1e-3)
    assert law.holds
    assert Load(steps=steps, latencies=load.latencies, all={"ok": 100, "timeout": 1}).littles_law(0, 10) is None


@given(
    st.lists(st.tuples(st.integers(0, 8_000), st.integers(1, 4000)), min_size=20, max_size=200),
    st.integers(0, 5000),
    st.integers(100, 5000),
)
def test_littles_law_holds_of_whatever_is_counted_right(everything, begin_ms, span_ms):
    everything = [(begun, lasted) for begun, lasted in everything if begun < begin_ms + span_ms]
    whole = merge(said(0, 1, [(one, "ok") for one in everything]))
    steady = Latency(Histogram.of([lasted * 1000 for begun, lasted in everything if begin_ms <= begun]))
    longest = Latency(Histogram.of([lasted * 1000 for _, lasted in everything]))
    load = Load(steps=whole.sessions, latencies={"step": steady, "total": longest})
    law = load.littles_law(begin_ms / 1e3, (begin_ms + span_ms) / 1e3)
    assert law is None or law.holds


def test_littles_law_does_not_hold_where_sessions_were_lost():
    steps = Curve({0: 5, 10_000: -5})
    lost = Load(steps=steps, latencies={"step": Latency(Histogram.of([500_000] * 60))}).littles_law(0, 10)
    assert lost is not None
    assert not lost.holds


def test_no_answers_are_no_load():
    assert merge([]) == Load()
    assert not merge([]).complete
    assert merge([]).littles_law(0, 1) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not JSON",
        '{"kind":"end","client":0,"outcome":"all"',
        '{"kind":"end","client":-1,"outcome":"all","trouble":null}',
        '{"kind":"counts","client":0,"window":"all","outcomes":{"lost":1},"close_failed":0}',
        '{"kind":"histogram","client":0,"phase":"step","outcome":"ok","encoded":"AAAA"}',
        '{"kind":"in_flight","client":0,"what":"steps","changes":[[-1,1]]}',
        '{"kind":"rows","client":0,"rows":[[1,2]]}',
        '{"kind":"names","client":0,"hosts":["10.0.0.1"],"troubles":[],"rows":0,"left_out":0}',
        '{"kind":"load","client":0,"wall_s":NaN}',
    ],
)
def test_a_line_that_is_no_answer_is_passed_over(text):
    assert read_answers((Line(0.0, "stdout", text),)) == ()
