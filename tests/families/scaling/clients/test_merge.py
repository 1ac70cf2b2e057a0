from __future__ import annotations

import random
from collections import Counter
from typing import Any

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
    found.append(Rows(kind="rows", client=client, rows=rows))
    given = dict(Counter(answer.kind for answer in found))
    return [*found, End(kind="end", client=client, outcome="all", trouble=None, given=given)]


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


def changed(answers: list[Answer], kind: type[Answer], **fields: Any) -> list[Answer]:
    """Those answers with the first of a kind changed."""
    place = next(n for n, answer in enumerate(answers) if isinstance(answer, kind))
    return [*answers[:place], answers[place].model_copy(update=fields), *answers[place + 1 :]]


TWO = [((0, 10), "ok"), ((5, 10), "timeout")]


@given(sessions, st.data())
def test_a_load_of_which_anything_did_not_come_is_not_complete(everything, data):
    answers = [answer for client in range(2) for answer in said(client, 2, everything[client::2])]
    random.Random(0).shuffle(answers)
    assert merge(answers).complete
    lost = data.draw(st.sampled_from(range(len(answers))))
    assert not merge([*answers[:lost], *answers[lost + 1 :]]).complete
    assert not merge([*answers, answers[lost]]).complete or isinstance(answers[lost], End)


@pytest.mark.parametrize(
    ("kind", "fields", "says"),
    [
        (Counts, {"window": "all"}, "what it counted did not come"),
        (
            Counts,
            {"outcomes": {"ok": 2, "timeout": 1}},
            "1 sessions that ended 'ok' have the time 'total', where 2 were",
        ),
        (PhaseHistogram, {"phase": "step"}, "0 sessions that ended 'ok' have the time 'total', where 1 were"),
        (InFlight, {"changes": ((0, 2), (10, -1))}, "1 of the sessions under way never ended"),
        (Rows, {"rows": ()}, "0 of 2 sessions' rows came"),
        (Names, {"left_out": 3}, "2 sessions have rows and 3 have none, where 2 were counted"),
        (End, {"given": {"begin": 1}}, "1 of 0 answers of the kind 'load' came"),
    ],
)
def test_answers_that_contradict_one_another_are_told(kind, fields, says):
    answers = said(0, 1, TWO)
    assert merge(answers).missing == ()
    merged = merge(changed(answers, kind, **fields))
    assert not merged.complete
    assert any(f"client 0: {says}" in words for words in merged.missing), merged.missing


def test_a_phase_of_more_sessions_than_were_counted_is_told():
    answers = said(0, 1, TWO)
    steps = PhaseHistogram(
        kind="histogram", client=0, phase="step", outcome="ok", encoded=Histogram.of([1, 2]).encoded()
    )
    given = {**answers[-1].given, "histogram": 3}
    merged = merge([*answers[:-1], steps, answers[-1].model_copy(update={"given": given})])
    assert merged.missing == ("client 0: 2 sessions that ended 'ok' have the time 'step', where 1 were counted",)


def test_what_is_missing_is_told_of_every_client():
    stopped = End(kind="end", client=1, outcome="stopped", trouble=None)
    answers = said(0, 3, TWO)
    merged = merge([*(one for one in answers if one.kind != "load"), stopped])
    assert merged.missing == (
        "stopped",
        "client 2 did not come to its end",
        "client 0: 0 of 1 answers of the kind 'load' came",
    )
    assert merge([]).missing == ("no client began",)


def test_names_told_a_few_at_a_time_keep_their_numbers():
    hosts = ("a" * 12, "b" * 12, "c" * 12)
    row = Row(0, 0, 0, None, None, None, None, 1, None, None, None, 2, "ok", None)
    names = [
        Names(kind="names", client=0, hosts=some, troubles=(), rows=1, left_out=0) for some in (hosts[:2], hosts[2:])
    ]
    merged = merge([Rows(kind="rows", client=0, rows=(row, row._replace(session=1, host=3))), *names])
    assert [one.host for one in merged.told] == ["c" * 12, None]


def test_closes_that_failed_are_counted_in_the_steady_window_and_over_all():
    counts = [
        Counts(kind="counts", client=client, window=window, outcomes={"ok": 9}, close_failed=failed)
        for client in (0, 1)
        for window, failed in (("steady", 2), ("all", 5))
    ]
    merged = merge(counts)
    assert (merged.steady_close_failed, merged.close_failed) == (4, 10)


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
