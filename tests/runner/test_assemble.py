"""A journal gives the same record at a run's end and after a crash, as far as it goes."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from perfdb.errors import RegistryError
from perfdb.record import Record
from perfdb.record.canonical import canonical_bytes
from perfdb.registry import Registry
from perfdb.runner.assemble import LOG_BYTES, LONGEST_LINE, record_of
from perfdb.runner.clipping import clipped
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
    times = {
        name: {"at": f"2026-11-21T02:28:0{second}Z", "resolution_s": 1.0, "source": "test"}
        for second, name in enumerate(("pending", "started"))
    }
    journal.write("logs/01-rep-1.jobs", [{"job_id": "4711", **times}, {"job_id": "4712"} | dict.fromkeys(times)])
    record, _, _ = record_of(journal)
    assert record.metric("queue_wait_s").values == (1.0,)
    assert record.metric("start_up_s").values == (1.0,)


STAMP = {"at": "2026-11-21T02:28:01Z", "resolution_s": 0.001, "source": "slurmctld.log"}
BOOT = {"node": "login-secret", "asked": STAMP, "registered": STAMP}
JOB = {"job_id": "4711.pbs01.site.example", "state": "TIMEOUT", "why": "TimeLimit", "pending": STAMP, "boots": [BOOT]}


def test_every_run_with_cluster_jobs_keeps_their_own_times_and_names_no_node(settings):
    journal = journal_of(settings, log_bytes(), log_bytes())
    journal.write("logs/01-rep-1.jobs", [{**JOB, "nodes": ["login-secret", "n1"]}])
    journal.write("logs/02-rep-2.jobs", [{"job_id": "4712", "why": "/home/someone/job.sh"}])
    record, files, _ = record_of(journal)
    kept = json.loads(files["artifacts/jobs.json"])
    pseudonym = hmac.new(b"fake-key", b"login-secret", hashlib.sha256).hexdigest()[:12]
    first, second = kept["jobs"]
    stamp = {**STAMP, "at": "2026-11-21T02:28:01.000000Z"}
    assert first["nodes"][0] == pseudonym
    assert first | {"nodes": None} == {
        "nodes": None,
        "child": "01-rep-1",
        "job_id": "4711",
        "state": "TIMEOUT",
        "why": "TimeLimit",
        "pending": stamp,
        "boots": [{"node": pseudonym, "asked": stamp, "registered": stamp}],
    }
    assert second == {"child": "02-rep-2", "job_id": "4712", "nodes": [], "boots": []}
    assert files["artifacts/jobs.json"] == canonical_bytes(kept)
    assert "artifacts/jobs.json" in [artifact.file for artifact in record.artifacts]
    everything = record.to_bytes() + b"".join(files.values())
    assert not [name for name in (b"login-secret", b"pbs01", b"someone") if name in everything]


def test_a_run_without_cluster_jobs_keeps_no_such_file(settings):
    journal = journal_of(settings, log_bytes())
    journal.write("logs/01-rep-1.jobs", [])
    assert "artifacts/jobs.json" not in record_of(journal)[1]


@pytest.mark.parametrize(
    "damage",
    [
        [{"job_id": "4711", "submitted_at": "2026-11-21T02:28:00+00:00", "started_at": None}],  # yesterday's
        {"job_id": "4711"},
        5,
        "4711",
        [5],
        [{"job_id": "4711", "pending": {"at": "soon", "resolution_s": 1.0, "source": "test"}}],
        [{"job_id": "4711", "pending": {"at": "2026-11-21T02:28:00", "resolution_s": 1.0, "source": "test"}}],
    ],
)
def test_damaged_jobs_are_told_as_a_damaged_journal(settings, damage):
    journal = journal_of(settings, log_bytes())
    journal.write("logs/01-rep-1.jobs", damage)
    with pytest.raises(RegistryError, match=r"is damaged .+ remove that folder\.$"):
        record_of(journal)


def test_a_time_limit_reached_between_two_children_is_a_timeout(settings):
    journal = journal_of(settings, log_bytes(), spec={"time": 5.0, "reps": 2, "probe": False})
    assert record_of(journal)[0].status == "interrupted"
    journal.write("stopped.json", {"reason": "the time limit was reached before rep-2 could begin"})
    record, _, _ = record_of(journal)
    assert (record.status, record.reason) == ("timeout", "the time limit was reached before rep-2 could begin")


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


def test_the_files_that_a_child_left_are_in_the_record(settings):
    journal = journal_of(settings, log_bytes())
    journal.write("logs/01-rep-1.files", {"slurm.conf": "Port=1\n"})
    record, files, _ = record_of(journal)
    assert files["artifacts/01-rep-1.slurm.conf"] == b"Port=1\n"
    assert "artifacts/01-rep-1.slurm.conf" in {artifact.file for artifact in record.artifacts}
