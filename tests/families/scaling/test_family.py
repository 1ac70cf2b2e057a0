"""The family around the load client: what is asked for, what the samples imply, and what makes a record invalid."""

from __future__ import annotations

import dataclasses
import json
import socket
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.families import ChildRun
from perfdb.families.scaling import FAMILY
from perfdb.families.scaling.histogram import Histogram
from perfdb.families.scaling.measure import measure, tried_of
from perfdb.families.scaling.spec import ScalingSpec
from perfdb.families.scaling.summarise import at_share, summarise
from perfdb.processes.log import ChildLog, Exit, Line
from perfdb.registry.samples import to_parquet
from perfdb.registry.validator.parquet import ParquetReader
from tests.families.scaling.loads import service, start

ENDED = Exit(3.0, 0, "ended", 1.0)
SPEC = ScalingSpec(requests_grid="20", wait_grid="0.05", reps=1)


@dataclass(frozen=True)
class StandInLab:
    """As much of a lab as the family asks for."""

    target: str = "http://127.0.0.1:8000"
    host_key: str = "key"


def child(name: str, lines: Sequence[str], exit_: Exit = ENDED) -> ChildRun:
    return ChildRun(ChildLog(name, None, tuple(Line(n / 10, "stdout", text) for n, text in enumerate(lines)), exit_))


@pytest.fixture(scope="module")
def said() -> list[str]:
    """Every line of one real load of 20 sessions."""
    process = start(SPEC.plan(service().url, 20, 0.05))
    out, trouble = process.communicate(timeout=60)
    assert (process.returncode, trouble) == (0, "")
    return out.splitlines()


def changed(said: list[str], kind: str, **fields: object) -> list[str]:
    """Those lines with answers of one kind changed."""
    answers = [json.loads(line) for line in said]
    return [json.dumps({**answer, **fields} if answer["kind"] == kind else answer) for answer in answers]


def assemble(lines: list[str], spec: ScalingSpec = SPEC, exit_: Exit = ENDED):
    return FAMILY.assemble(spec, None, [child("01-rep-1-wait-0.05s-load-20", lines, exit_)])


def test_a_sound_load_is_ok_and_says_what_the_service_bears(said):
    measured = assemble(said)
    assert (measured.status, measured.reason) == ("ok", None)
    found = {metric.name: metric.all_values for metric in measured.metrics}
    assert found["largest_load"] == (20.0,)
    assert found["success_share"] == (1.0,)
    assert 0.05 <= found["step_p50_s"][0] <= found["step_p99_s"][0] <= found["total_p99_s"][0] < 2
    assert found["fewest_hosts"] == (3.0,)  # the small service speaks for three
    (ceiling,) = [finding for finding in measured.findings if finding.name == "ceiling"]
    assert ceiling.value == "at least 20 sessions"


def test_a_client_that_never_began_is_told_with_its_last_words():
    run = child("01-rep-1-wait-0.05s-load-20", [])
    lines = (
        Line(0.1, "stderr", "Traceback"),
        Line(0.2, "stderr", "ImportError: no epoll\x1b[2J"),
        Line(0.3, "stderr", " "),
    )
    broken = ChildRun(dataclasses.replace(run.log, lines=lines))
    measured = FAMILY.assemble(SPEC, None, [broken])
    assert measured.status == "failed"
    assert measured.reason == "no load was measured: no client began; its last words: ImportError: no epoll [2J"


def test_what_a_record_states_follows_from_its_samples_as_they_are_kept(said):
    measured = assemble(said)
    with ParquetReader() as reader:
        reader.send(to_parquet(measured.samples))
        kept = reader.receive().columns
    assert summarise(kept) == measured.metrics
    assert {metric.name for metric in measured.metrics} <= set(FAMILY.metrics)


def test_another_number_of_hosts_than_required_is_invalid_with_the_diagnosis(said):
    asked = SPEC.model_copy(update={"expected_hosts": 4, "require_hosts": True})
    measured = assemble(said, asked)
    assert measured.status == "invalid"
    assert "3 hosts answered, 4 are required. Is the URL the balancer's" in (measured.reason or "")
    only_told = assemble(said, SPEC.model_copy(update={"expected_hosts": 4}))
    assert only_told.status == "ok"
    assert "3 of 4" in [finding.value for finding in only_told.findings if finding.name == "hosts"]


def test_a_client_that_stood_still_makes_a_record_invalid(said):
    stalled = changed(said, "load", tick_lag={"count": 9, "p50_s": 0.0, "p99_s": 1.0, "max_s": 1.0})
    measured = assemble(stalled)
    assert measured.status == "invalid"
    assert "clients_kept_up: repetition 1, wait 0.05 s, load 20: the longest stall was 1.000 s" in (
        measured.reason or ""
    )


def test_a_load_whose_client_was_killed_is_not_complete(said):
    cut = [line for line in said if json.loads(line)["kind"] != "end"]
    measured = assemble(cut, exit_=Exit(1.0, -9, "ended", 1.0))
    assert measured.status == "invalid"
    assert "every_load_complete" in (measured.reason or "")
    assert "ceiling" not in {finding.name for finding in measured.findings}


def test_an_interrupted_grid_says_so_and_keeps_what_was_found(said):
    both = SPEC.model_copy(update={"reps": 2})
    measured = assemble(said, both)
    assert measured.status == "interrupted"
    assert (measured.reason or "").endswith("after 1 of 2 loads")
    assert measured.metrics != ()


def test_no_session_that_succeeded_is_a_failure_in_words():
    with socket.socket() as taken:  # bound, so nobody else gets it, and not listening
        taken.bind(("127.0.0.1", 0))
        process = start(SPEC.plan(f"http://127.0.0.1:{taken.getsockname()[1]}", 20, 0.05))
        out, _ = process.communicate(timeout=60)
    measured = assemble(out.splitlines())
    assert measured.status == "failed"
    assert "no session succeeded (refused" in (measured.reason or "")


@given(st.data())
def test_a_log_is_made_the_best_of_and_is_ok_only_if_nothing_that_counts_was_cut(said, data):
    keep = data.draw(st.integers(0, len(said)))
    left = said[:keep] if data.draw(st.booleans()) else data.draw(st.lists(st.sampled_from(said), unique=True))
    cut = {json.loads(line)["kind"] for line in set(said) - set(left)}
    assert assemble(left).status in ({"ok"} if cut <= {"progress"} else {"failed", "invalid"})


def test_a_log_that_lost_its_latencies_says_so(said):
    lost = [line for line in said if json.loads(line).get("phase") != "total"]
    measured = assemble(lost)
    assert measured.status == "invalid"
    assert "every_load_complete: repetition 1, wait 0.05 s, load 20: client 0: 4 of 5 answers of the kind" in (
        measured.reason or ""
    )
    assert "ceiling" not in {finding.name for finding in measured.findings}


def test_the_whole_grid_is_one_repetition_and_then_the_next():
    spec = ScalingSpec(requests_grid="8,2", wait_grid="1,0.5", reps=2)
    names = [program.name for program in measure(StandInLab(), spec)]  # type: ignore[arg-type]
    assert names[:4] == [
        "rep-1-wait-0.5s-load-2",
        "rep-1-wait-0.5s-load-8",
        "rep-1-wait-1s-load-2",
        "rep-1-wait-1s-load-8",
    ]
    assert len(names) == len(set(names)) == FAMILY.child_count(spec) == 8


def test_a_search_goes_on_until_the_ceiling_is_known(said):
    spec = ScalingSpec(requests_grid="20", wait_grid="0.05", reps=1, bisect_to=40)
    children = measure(StandInLab(), spec)  # type: ignore[arg-type]
    program, names = next(children), []
    with pytest.raises(StopIteration):
        while True:
            names.append(program.name)
            program = children.send(child(f"01-{program.name}", said))
    assert names == ["rep-1-wait-0.05s-load-20", "rep-1-wait-0.05s-load-40"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"requests_grid": "0,5"}, "whole numbers above 0"),
        ({"requests_grid": "a"}, "whole numbers above 0"),
        ({"wait_grid": "-1"}, "seconds from 0"),
        ({"wait_grid": "nan"}, "seconds from 0"),
        ({"require_hosts": True}, "--expected-hosts N"),
        ({"bisect_to": 3}, "below the load to begin with"),
        ({"shape": "open", "steady_s": 0.0}, "steady_s above 0"),
        ({"mode": "get", "expected_hosts": 2, "require_hosts": True}, "names no host"),
        ({"poisson": True}, "--shape open"),
        ({"shape": "open", "requests_grid": "10,900000", "steady_s": 100.0}, "more than 1,000,000 arrivals"),
        ({"warm_up_s": 1.0}, "--shape open or closed"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(given, says):
    with pytest.raises(ValueError, match=says):
        ScalingSpec(**given)


@given(st.lists(st.tuples(st.floats(0, 10), st.integers(1, 5)), min_size=1, max_size=20), st.floats(0.01, 1))
def test_counted_values_have_the_nearest_rank_quantile_of_the_plain_ones(rows, share):
    plain = sorted(value for value, count in rows for _ in range(count))
    rank = max(1, -(-share * len(plain) // 1))
    assert at_share(rows, share) in (plain[int(rank) - 1], plain[max(0, int(rank) - 2)])


@pytest.mark.parametrize(
    "url", ["http://u:p@h/", "ftp://h/", "https://h/", "http:///x", "h:8000", "http://h:0/", "http://a b/", ""]
)
def test_an_address_that_cannot_be_loaded_is_refused_with_an_example(url):
    from perfdb.errors import UsageError

    assert FAMILY.subject is not None
    with pytest.raises(UsageError, match=r"perfdb run scaling http://127\.0\.0\.1:8000"):
        FAMILY.subject.describe(url, "key")


def test_a_host_goes_by_its_pseudonym_and_loopback_by_its_address():
    assert FAMILY.subject is not None
    known = FAMILY.subject.describe("http://login.example.org:8000/x", "key")
    assert "example" not in known.model_dump_json()
    assert FAMILY.subject.describe("http://127.0.0.2:8000", "key").params["service.host"] == "127.0.0.2"


def test_a_path_goes_by_its_pseudonym_and_keeps_its_fingerprint():
    describe = FAMILY.subject.describe
    known, again, other = (describe(f"http://127.0.0.1:8000/{path}", "key") for path in ("t0ken", "t0ken", "u"))
    assert "t0ken" not in known.model_dump_json()
    assert known.fingerprint == again.fingerprint != other.fingerprint
    for url in ("http://127.0.0.1:8000", "http://127.0.0.1:8000/"):
        assert describe(url, "key").params["service.path"] == "/"


@pytest.mark.parametrize("url", ["http://u:passw0rd@h/", "http:/u:passw0rd@h", "http://u:p@passw0rd@h:1/"])
def test_a_password_in_an_address_is_not_repeated(url):
    from perfdb.errors import UsageError

    with pytest.raises(UsageError, match=r"perfdb run scaling http://127\.0\.0\.1:8000") as told:
        FAMILY.subject.describe(url, "key")
    assert "passw0rd" not in str(told.value)


def test_a_child_of_another_name_is_no_load():
    assert tried_of(SPEC, child("01-rep-1", [])) is None


def test_hosts_that_nobody_named_are_not_as_expected(said):
    nameless = [line for line in said if json.loads(line)["kind"] != "names"]
    measured = assemble(nameless, SPEC.model_copy(update={"expected_hosts": 1, "require_hosts": True}))
    assert not next(check.passed for check in measured.checks if check.name == "hosts_as_expected")


def test_the_rate_of_an_open_load_is_that_of_its_steady_part():
    spec = ScalingSpec(
        shape="open", requests_grid="50", wait_grid="0.05", ramp_s=0.5, warm_up_s=1.0, steady_s=1.0, reps=1
    )
    lines = start(spec.plan(service().url, 50, 0.05)).communicate(timeout=60)[0].splitlines()
    measured = FAMILY.assemble(spec, None, [child("01-rep-1-wait-0.05s-load-50", lines)])
    # Whether the machine let the client keep up is not asked here: late sessions count by their schedule all the same.
    (rate,) = [metric.values for metric in measured.metrics if metric.name == "sessions_per_s"]
    assert rate == pytest.approx((50,), abs=1)


def test_a_search_that_was_cut_short_is_interrupted(said):
    measured = assemble(said, SPEC.model_copy(update={"bisect_to": 4000}))
    assert measured.status == "interrupted"
    assert measured.reason == ("perfdb was interrupted in the search of repetition 1, wait 0.05 s, after 1 load")


def test_what_the_client_spoiled_steers_no_search_and_is_no_ceiling(said):
    stalled = changed(said, "load", highest_cpu_share=0.99)
    spec = SPEC.model_copy(update={"bisect_to": 40})
    children = measure(StandInLab(), spec)  # type: ignore[arg-type]
    program = next(children)
    names = [program.name, children.send(child(f"01-{program.name}", stalled)).name]
    assert names == ["rep-1-wait-0.05s-load-20", "rep-1-wait-0.05s-load-20-try-2"]
    evidence = [finding.value for finding in assemble(stalled).findings if finding.name == "ceiling"]
    assert evidence == []


def judged(said: list[str], *slow: int) -> dict[str, tuple[float, ...]]:
    """The metrics of loads of 20 and 40, of which those that are named took ten seconds in the repetition."""
    spec = SPEC.model_copy(update={"requests_grid": "20,40", "reps": 2})
    long = Histogram.of([10_000_000] * 20).encoded()
    answers = [json.loads(line) for line in said]
    late = [json.dumps({**one, "encoded": long} if one.get("phase") == "total" else one) for one in answers]
    names = [(repetition, load) for repetition in (1, 2) for load in (20, 40)]
    children = [
        child(f"0{n}-rep-{repetition}-wait-0.05s-load-{load}", late if n in slow else said)
        for n, (repetition, load) in enumerate(names)
    ]
    measured = FAMILY.assemble(spec, None, children)
    assert summarise(measured.samples) == measured.metrics
    return {metric.name: metric.values for metric in measured.metrics}


def test_the_ceiling_is_a_metric_where_every_repetition_found_it(said):
    assert judged(said, 1, 3)["ceiling"] == (20.0, 20.0)
    assert "ceiling" not in judged(said, 1), "the second repetition bore all that it tried"
    assert "ceiling" not in judged(said, 0, 1, 3), "the first one bore nothing"


def test_closes_that_went_wrong_are_told_and_are_no_failures(said):
    measured = assemble(changed(said, "counts", close_failed=3))
    (told,) = [finding for finding in measured.findings if finding.name == "closes_failed"]
    assert told.value == "3 sessions"
    assert {metric.name: metric.values for metric in measured.metrics}["success_share"] == (1.0,)
    assert "close_p99_s" in {metric.name for metric in measured.metrics}


def test_failed_steps_do_not_make_up_for_successes_that_were_not_simultaneous():
    spec = ScalingSpec(shape="barrier", requests_grid="20", wait_grid="0.3", patience_s=0.8, reps=1)
    plan = spec.plan(service(fault="silent", every=2).url, 20, 0.3)
    lines = start(plan).communicate(timeout=60)[0].splitlines()
    fine = {check.name: check.passed for check in assemble(lines, spec).checks}
    assert fine["sessions_simultaneous"]
    told = [json.loads(line) for line in lines]
    apart = {"changes": [[300, 5], [600, -5], [700, 5], [1000, -5]]}
    lines = [json.dumps({**one, **apart} if one.get("what") == "ok_steps" else one) for one in told]
    measured = assemble(lines, spec)
    assert measured.status == "invalid"
    assert "at most 5 of the 10 steps that succeeded were under way at once" in (measured.reason or "")


def test_a_client_that_lost_count_makes_a_record_invalid():
    spec = ScalingSpec(shape="open", requests_grid="60", wait_grid="0.1", steady_s=1.5, reps=1)
    process = start(spec.plan(service().url, 60, 0.1))
    lines = process.communicate(timeout=60)[0].splitlines()
    sound = assemble(lines, spec)
    (law,) = [check for check in sound.checks if check.name == "littles_law"]
    assert law.passed
    assert "at the largest of 1 load in which every session succeeded" in law.detail
    half = Histogram.of([100_000] * 45).encoded()
    told = [json.loads(line) for line in lines]
    lost = [json.dumps({**one, "encoded": half} if one.get("phase") == "step" else one) for one in told]
    measured = assemble(lost, spec)
    assert measured.status == "invalid"
    assert "the client miscounts" in (measured.reason or "")
