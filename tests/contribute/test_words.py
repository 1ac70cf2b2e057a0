"""Branch names, commit messages and pull request texts, from friendly records and from hostile ones."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfdb.contribute.markdown import code, harmless
from perfdb.contribute.message import message, subject
from perfdb.contribute.naming import branch_name
from perfdb.contribute.text import pull_request_text
from perfdb.record import Annotation, Code, ConfigRef, Environment, Origin, Retraction, new_uuid
from tests.contribute.world import HEADLINES, STARTED, a_record

HOSTILE = "x](//evil.example) ![p](//evil.example/p.png) <img src=x> @everyone fixes #1 GH-2 https://evil.example `|\n## big\x1b[2J"


def records(*numbers: int, **changes):
    return [a_record(number, **changes)[0] for number in numbers]


def hostile(**changes):
    config = ConfigRef(name=HOSTILE, source_sha256="a" * 64, fingerprint="b" * 64)
    measured = Code(perfdb_version="1", measured={HOSTILE: HOSTILE})
    spec = {HOSTILE.replace("\n", " "): HOSTILE}
    return a_record(1, config=config, code=measured, spec=spec, status="failed", reason=HOSTILE, **changes)[0]


def test_one_record_names_its_branch_by_machine_day_and_id():
    (record,) = records(1)
    assert branch_name([record], []) == f"results/laptop/2025-11-21-{record.record_id[:8]}"


def test_the_same_records_get_the_same_branch_in_any_order():
    some = records(1, 2, 3)
    assert branch_name(some, []) == branch_name(some[::-1], []) != branch_name(some[:2], [])


def test_several_machines_are_several_and_remarks_alone_are_remarks():
    assert branch_name([*records(1), *records(2, machine="other")], []).startswith("results/several/")
    remark = Retraction(uuid=new_uuid(), at=STARTED, record_id="0" * 16, reason="wrong")
    assert branch_name([], [remark]) == f"results/remarks/2025-11-21-{remark.uuid[:8]}"


LABEL = st.from_regex(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9_-])?", fullmatch=True).filter(
    lambda s: not s.isdigit()
)


@settings(max_examples=20, deadline=None)
@given(LABEL)
def test_git_takes_the_branch_of_any_machine(machine):
    name = branch_name(records(1, machine=machine), [])
    assert subprocess.run(["git", "check-ref-format", f"refs/heads/{name}"], check=False).returncode == 0


@pytest.mark.parametrize("machine", ["a.lock", "a..b", "a...lock", "x" * 64])
def test_git_takes_the_branch_of_a_machine_named_oddly(machine):
    name = branch_name(records(1, machine=machine), [])
    assert subprocess.run(["git", "check-ref-format", f"refs/heads/{name}"], check=False).returncode == 0


def test_a_subject_says_what_where_and_how_many_in_72_characters():
    assert subject(records(1), []) == "throughput on laptop: 1 record, parsl 2025.10.20"
    long = records(1, 2, machine="m" * 64, family="f" * 64)
    assert len(subject(long, [])) <= 72 and "2 records" in subject(long, [])


def test_a_message_tells_each_record_with_its_first_headline():
    text = message(records(1), [], [], HEADLINES)
    assert "throughput local_htex parsl 2025.10.20 on laptop: ok\n" in text
    assert "warm_tasks_per_s 710 tasks/s (700 tasks/s to 901 tasks/s, n=3)" in text


def test_a_message_of_ten_thousand_records_stays_readable():
    text = message(records(1) * 10_000, [], [], HEADLINES)
    assert "and 9800 more records" in text and len(text) < 100_000


def test_a_text_tells_what_where_numbers_with_intervals_and_how_to_do_it_again():
    text = pull_request_text(records(1, 2), [], ["parsl-configs/local_htex.py"], HEADLINES)
    assert "- `laptop`: submit host `A CPU`, 8 logical CPUs, 16 GiB, `Linux`" in text
    assert "| ok | warm_tasks_per_s | 710 tasks/s | 700 tasks/s to 901 tasks/s, 75 % | 3 |" in text
    assert text.count("perfdb run throughput local_htex --parsl 2025.10.20 --set reps=3 --set time_s=5") == 1
    assert "`parsl-configs/local_htex.py`" in text


def test_the_time_limit_is_an_option_of_its_own():
    text = pull_request_text(records(1, spec={"reps": 3, "timeout_s": 60}), [], [], HEADLINES)
    assert "--set reps=3 --timeout 60\n" in text


def test_a_text_of_ten_thousand_records_is_one_that_a_forge_takes():
    assert len(pull_request_text(records(*range(10)) * 1000, [], [], HEADLINES)) < 60_000


def test_what_is_not_ok_is_told_with_its_reason():
    text = pull_request_text(records(1, status="failed", reason="no worker came"), [], [], HEADLINES)
    assert "Status: 1 failed." in text and "is failed: `no worker came`" in text


def test_an_imported_record_says_where_it_is_from():
    origin = Origin(kind="imported", source_kind="csv", source="table.csv")
    assert "# imported from csv: table.csv" in pull_request_text(records(1, origin=origin), [], [], HEADLINES)


def test_hostile_words_stay_in_code_spans():
    remarks = [
        Retraction(uuid=new_uuid(), at=STARTED, record_id="0" * 16, reason=HOSTILE),
        Annotation(uuid=new_uuid(), at=STARTED, record_ids=("0" * 16,), note=HOSTILE),
    ]
    environment = Environment(machine="laptop", scheduler=HOSTILE, scheduler_version=HOSTILE)
    origin = Origin(kind="imported", source_kind=HOSTILE, source=HOSTILE)
    some = [hostile(), hostile(environment=environment), hostile(origin=origin)]
    text = pull_request_text(some, remarks, [HOSTILE], HEADLINES)
    fenced, outside = False, []
    for line in text.splitlines():
        fenced ^= line.startswith("```")
        if not fenced and not line.startswith("```"):
            assert line.count("`") % 2 == 0, line
            outside += line.split("`")[::2]
    assert not fenced
    for sign in ("evil", "@", "<", "\x1b", "fixes", "![", "big"):
        assert sign not in "".join(outside)
    assert "\x1b" not in text


def test_hostile_words_link_nowhere_from_a_commit_message():
    text = message([hostile()], [], [HOSTILE], HEADLINES)
    for sign in ("@", "#", "://", "GH-2", "\x1b"):
        assert sign not in text
    picture = Code(perfdb_version="1", measured={"parsl": "![p](//e.x)"})
    assert subject(records(1, code=picture), []) == "throughput on laptop: 1 record"
    assert "@" not in subject([hostile()], []) and "!" not in subject([hostile()], [])


@given(st.text())
def test_no_text_leaves_its_code_span(text):
    span = code(text)
    assert span.count("`") == 2 and "|" not in span and len(span.splitlines()) == 1 and len(span) <= 202
    assert not set(harmless(text)) & set("@#\n\r")
