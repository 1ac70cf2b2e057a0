"""`perfdb report`, as typed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.report.site.sites import Page, saved

PROGRAM = "import typer; from perfdb.cli import _exit_with; from perfdb.cli.report import report\n"
PROGRAM += "app = typer.Typer(pretty_exceptions_enable=False); app.command()(report); _exit_with(app)\n"


def report(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    (root / "perfdb.toml").touch()
    command = [sys.executable, "-c", PROGRAM, *words]
    env = {**os.environ, "PERFDB_ROOT": str(root)}
    return subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, check=False)


def test_it_says_where_to_look(tmp_path: Path) -> None:
    saved(tmp_path)
    done = report(tmp_path, "site", "--title", "Parsl <here>")
    assert (done.returncode, done.stdout) == (0, f"{tmp_path}/site/index.html\n")
    assert "1 record" in done.stderr
    assert "Parsl <here>" in Page(tmp_path / "site" / "index.html").text


def test_json_is_one_document(tmp_path: Path) -> None:
    saved(tmp_path)
    told = json.loads(report(tmp_path, "site", "--json").stdout)
    assert told["records"] == 1
    assert told["index"] == (tmp_path / "site" / "index.html").as_uri()


def test_a_query_chooses_the_records_and_is_told_on_the_pages(tmp_path: Path) -> None:
    kept, left = saved(tmp_path, run_name="kept"), saved(tmp_path, run_name="left")
    assert report(tmp_path, "site", "name == kept").returncode == 0
    names = [path.stem for path in (tmp_path / "site" / "records").iterdir()]
    assert (names, left.record_id in names) == ([kept.record_id], False)
    assert "name == kept" in Page(tmp_path / "site" / "index.html").text


def test_somebody_elses_folder_is_refused_with_what_to_do(tmp_path: Path) -> None:
    done = report(tmp_path, ".")
    assert done.returncode == 2
    assert "name another folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_records_that_cannot_be_read_end_it_with_the_code_for_faults(tmp_path: Path) -> None:
    bad = saved(tmp_path)
    next((tmp_path / "mlruns").rglob(f"{bad.record_id}/record.json")).write_text("{}")
    done = report(tmp_path, "site")
    assert done.returncode == 5
    assert "warning:" in done.stderr
    assert (tmp_path / "site" / "index.html").is_file()
