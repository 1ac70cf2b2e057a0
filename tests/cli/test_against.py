"""How a run that measured two sides ends. The measuring itself is stood in for: it takes a cluster to have two schedulers."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from perfdb.cli import against
from perfdb.cli.terminal import Voice
from perfdb.families import FAMILIES
from perfdb.record import ConfigRef, Record
from perfdb.settings import Settings, load_settings
from tests.compare.made import rate, run


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("PERFDB_ROOT", str(tmp_path))
    return load_settings()


def ended(monkeypatch: pytest.MonkeyPatch, settings: Settings, *records: Record, as_json: bool) -> int:
    places = [
        SimpleNamespace(outcome=SimpleNamespace(record=record), seat=SimpleNamespace(label=record.run_name))
        for record in records
    ]
    monkeypatch.setattr(against, "_measure", lambda *_: places)
    with pytest.raises(SystemExit) as end:
        against.run_against(FAMILIES["throughput"], settings, Voice(), "b", {}, ["worse"], as_json=as_json)
    assert isinstance(end.value.code, int)
    return end.value.code


def test_where_a_side_is_not_ok_it_is_told_which_record_says_why(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = run(rate(1, 2, 3)), run(rate(1, 2, 3), status="invalid", reason="too short")
    assert ended(monkeypatch, settings, good, bad, as_json=False) == 4

    assert f"nothing to compare; why: perfdb show {bad.record_id}" in capsys.readouterr().err


@pytest.mark.parametrize("as_json", [True, False])
def test_what_was_measured_is_told_where_it_cannot_be_compared(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    one, other = (
        run(rate(1, 2, 3), scheduler=s, config=ConfigRef(name=name, source_sha256=name * 64, fingerprint=name * 64))
        for name, s in (("a", "slurm"), ("b", "kubernetes"))
    )
    assert ended(monkeypatch, settings, one, other, as_json=as_json) == 0
    told = capsys.readouterr()

    assert "scheduler: 'slurm' against 'kubernetes'" in told.err
    assert f"perfdb compare {one.record_id} {other.record_id} --ignore scheduler" in told.err
    if as_json:
        document = json.loads(told.out)
        assert [record["record_id"] for record in document["records"]] == [one.record_id, other.record_id]
        assert document["comparison"] is None
    else:
        assert "tasks/s" in told.out
