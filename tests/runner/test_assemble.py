"""A journal gives the same record at a run's end and after a crash, as far as it goes."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from perfdb.errors import RegistryError
from perfdb.record import Record
from perfdb.registry import Registry
from perfdb.runner.assemble import LOG_BYTES, LONGEST_LINE, clipped, record_of
from tests.families.throughput.outputs import WHOLE
from tests.registry.contents import assert_all_whole
from tests.runner.journals import journal_of, log_bytes


def test_a_run_that_was_closed_gives_an_ok_record_with_its_files(settings):
    record, files, setup = record_of(journal_of(settings, log_bytes()))
    assert record.status == "ok"
    assert record.metric("warm_tasks_per_s").values == (pytest.approx(300),)
    assert record.duration_s == 20.0
    assert set(files) == {"artifacts/01-rep-1.log", "artifacts/config.py"}
    assert files["artifacts/01-rep-1.log"].decode() == "\n".join(WHOLE) + "\n"
    assert {a.file: (a.sha256, a.bytes) for a in record.artifacts} == {
        name: (hashlib.sha256(data).hexdigest(), len(data)) for name, data in files.items()
    }
    assert setup.config.name == "local_fake"
    assert Record.model_validate_json(record.to_bytes()) == record


def test_the_record_goes_into_a_registry_whole(settings):
    record, files, _ = record_of(journal_of(settings, log_bytes()))
    registry = Registry(settings.registry_path)
    registry.save(record, files)
    assert assert_all_whole(registry.root) == 1


def test_the_same_journal_gives_the_same_record(settings):
    journal = journal_of(settings, log_bytes())
    assert record_of(journal)[0].record_id == record_of(journal)[0].record_id


def test_a_run_that_was_never_closed_is_interrupted_even_if_all_was_measured(settings):
    record, _, _ = record_of(journal_of(settings, log_bytes(), closed=False))
    assert (record.status, record.reason) == ("interrupted", "perfdb was killed before it could close the run")
    assert record.metric("warm_tasks_per_s").values == (pytest.approx(300),)
    assert record.duration_s == 12.5


def test_a_failure_stays_a_failure_when_perfdb_was_killed_after_it(settings):
    record, _, _ = record_of(journal_of(settings, log_bytes(WHOLE[:9], code=1), closed=False))
    assert record.status == "failed"


@hypothesis_settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.integers(0, len(log_bytes())), st.booleans())
def test_a_log_cut_off_at_any_byte_still_gives_a_record(settings, cut, described):
    journal = journal_of(settings, log_bytes()[:cut], closed=False, described=described)
    record, files, _ = record_of(journal)
    journal.remove()
    assert record.status == "interrupted"
    assert Record.model_validate_json(record.to_bytes()) == record
    assert "artifacts/01-rep-1.log" in files


def test_nothing_but_a_request_still_gives_a_record(settings):
    record, files, setup = record_of(journal_of(settings, closed=False, described=False))
    assert (record.status, record.metrics, files, setup) == ("interrupted", (), {}, None)
    assert record.started_at == record.ended_at
    assert record.config is None


@pytest.mark.parametrize("damage", [None, b"", b"{", b"[]", b'{"family": "throughput"}'])
def test_a_journal_without_a_request_is_told(settings, damage):
    journal = journal_of(settings)
    (journal.path / "request.json").unlink()
    if damage is not None:
        (journal.path / "request.json").write_bytes(damage)
    with pytest.raises(RegistryError, match=r"is damaged .+ remove that folder\.$"):
        record_of(journal)


def test_no_path_of_this_machine_is_in_the_record(settings):
    record, files, _ = record_of(journal_of(settings, log_bytes()))
    kept = record.to_bytes() + b"".join(files.values())
    for private in (str(settings.root), "/nowhere", "fake-key"):
        assert private.encode() not in kept


def test_jobs_that_the_journal_holds_give_the_wait_in_the_queue(settings):
    journal = journal_of(settings, log_bytes())
    times = {"submitted_at": "2026-11-21T02:28:00+00:00", "started_at": "2026-11-21T02:28:01+00:00"}
    journal.write("logs/01-rep-1.jobs", [{"job_id": "4711", **times}, {"job_id": "4712"} | dict.fromkeys(times)])
    record, _, _ = record_of(journal)
    assert record.metric("queue_wait_s").values == (1.0,)
    assert record.metric("start_up_s").values == (1.0,)


def test_a_time_limit_is_part_of_what_was_asked_for(settings):
    record, _, _ = record_of(journal_of(settings, log_bytes(), timeout_s=60.0))
    assert record.spec["timeout_s"] == 60.0
    assert "timeout_s" not in record_of(journal_of(settings, log_bytes()))[0].spec


def test_an_endless_last_word_is_shortened_to_what_a_record_may_hold(settings):
    record, _, _ = record_of(journal_of(settings, log_bytes(["x" * 60_000], code=1)))
    assert len(record.reason) <= 4000
    assert json.loads(record.to_bytes())["status"] == "failed"


def test_long_logs_are_kept_by_head_and_tail_and_say_what_is_missing_while_every_number_is_read(settings):
    events = log_bytes().splitlines(keepends=True)
    noise = [
        json.dumps({"event": "line", "t": 1.0, "stream": "stderr", "text": f"line {number} é"}).encode() + b"\n"
        for number in range(40_000)
    ]
    loud = b"".join([events[0], *noise, *events[1:5], *noise, *events[5:]])
    record, files, _ = record_of(journal_of(settings, loud, log_bytes()))
    plain, _, _ = record_of(journal_of(settings, log_bytes(), log_bytes()))
    assert record.metrics == plain.metrics
    log = files["artifacts/01-rep-1.log"].decode()
    assert log.startswith("line 0 é\nline 1 é\n")
    assert log.endswith("\n".join(WHOLE[4:]) + "\n")
    assert "bytes left out here]" in log
    assert sum(len(data) for name, data in files.items() if name.endswith(".log")) <= LOG_BYTES + 100


@given(st.text(st.sampled_from("aé\n"), max_size=60), st.integers(0, 40))
def test_a_clipped_log_is_text_whose_lines_were_lines_of_it(text, most):
    log = text.encode() + b"\n"
    kept = clipped(log, most).decode().splitlines()
    whole = log.decode().splitlines()
    assert all(line in whole or line.startswith("[perfdb: ") for line in kept)


def test_a_line_longer_than_anyone_reads_is_cut_in_the_middle_and_says_so(settings):
    events = log_bytes().splitlines(keepends=True)
    table = json.dumps({"event": "line", "t": 1.0, "stream": "stderr", "text": "[" + "1, " * 5000 + "2]"}).encode()
    _, files, _ = record_of(journal_of(settings, b"".join([events[0], table + b"\n", *events[1:]])))
    line = files["artifacts/01-rep-1.log"].decode().splitlines()[0]
    assert line.startswith("[1, 1, ")
    assert line.endswith("1, 2]")
    assert f"[perfdb: {15003 - LONGEST_LINE} characters left out here]" in line
