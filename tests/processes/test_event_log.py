"""A log that may not or cannot grow costs no more than its own end."""

from __future__ import annotations

import os

from perfdb.processes import event_log
from perfdb.processes.log import Exit, Line, read_log
from perfdb.processes.supervised import Supervised


def test_a_log_stops_growing_but_still_tells_the_end(monkeypatch, tmp_path, capfd):
    monkeypatch.setattr(event_log, "LONGEST_LOG", 10_000)
    log = event_log.EventLog(str(tmp_path / "log.jsonl"), None)
    for _ in range(1000):
        log.write({"event": "line", "t": 0.5, "stream": "stdout", "text": "x" * 100})
    log.write({"event": "exit", "t": 1.0, "code": 0, "reason": "ended", "cpu_s": 0.0})
    assert 9_000 < (tmp_path / "log.jsonl").stat().st_size < 10_200
    assert read_log(tmp_path / "log.jsonl").exit.reason == "ended"
    assert capfd.readouterr().out == (tmp_path / "log.jsonl").read_text()


def test_a_log_on_a_full_disk_does_not_end_the_child(job, small_disk):
    disk = small_disk(1)
    log = disk.path / "01-child.jsonl"
    disk.fill()
    disk.free(4096)
    with Supervised(job("for n in range(300): print('x' * 100)\nprint('last')"), log) as child:
        told = []
        while (events := child.read()) is not None:
            told += events
    assert isinstance(told[-1], Exit)
    assert (told[-1].code, told[-1].reason) == (0, "ended")
    assert told[-2].text == "last"
    assert read_log(log).exit.reason == "lost"


def test_a_log_that_finds_room_again_loses_only_what_did_not_fit(job, small_disk):
    disk = small_disk(1)
    log = disk.path / "01-child.jsonl"
    disk.fill()
    disk.free(4096)
    source = "import sys\nfor n in range(300): print('x' * 100)\nprint('full')\nopen('go')"
    fifo = disk.path.parent / "go"
    os.mkfifo(fifo)
    with Supervised(job(source), log) as child:
        while (events := child.read()) is not None:
            if any(isinstance(event, Line) and event.text == "full" for event in events):
                disk.free(100_000)
                fifo.write_text("")
    assert read_log(log).exit.code == 0
    kept = [line.text for line in read_log(log).lines]
    assert 10 < len(kept) < 100
    assert set(kept) <= {"x" * 100, "full"}


def test_ballast_is_given_up_for_the_log(job, small_disk):
    disk = small_disk(1)
    log, ballast = disk.path / "01-child.jsonl", disk.path / "ballast"
    ballast.write_bytes(b"\0" * 200_000)
    disk.fill()
    with Supervised(job("for n in range(300): print('x' * 100)", ballast=ballast), log) as child:
        while child.read() is not None:
            pass
    assert not ballast.exists()
    assert len(read_log(log).lines) == 300
    assert read_log(log).exit.code == 0
