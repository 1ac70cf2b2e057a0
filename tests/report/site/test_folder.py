"""Where a site lies, and what becomes of what lay there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from perfdb.errors import RegistryError, UsageError
from perfdb.report.site.folder import MARKER, check_target, replacing
from tests.disks import SmallDisk
from tests.report.site.sites import build, saved, tree


def test_a_folder_of_somebody_elses_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(UsageError, match="is not empty and holds no site"):
        check_target(tmp_path)
    assert tree(tmp_path) == {"thesis.tex": b"years of work"}


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "site").write_text("")
    with pytest.raises(UsageError, match="is a file"):
        check_target(tmp_path / "site")


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    saved(tmp_path)
    (tmp_path / "site").mkdir()
    build(tmp_path, tmp_path / "site")
    assert (tmp_path / "site" / "index.html").is_file()


def test_a_new_build_replaces_its_own_files_and_no_others(tmp_path: Path) -> None:
    gone = saved(tmp_path)
    site = tmp_path / "site"
    build(tmp_path, site)
    (site / "CNAME").write_text("perf.example.org")
    (site / ".git" / "refs" / "tags").mkdir(parents=True)
    (site / ".git" / "HEAD").write_text("ref")
    (site / "index.html").write_text("edited")
    (tmp_path / "mlruns").rename(tmp_path / "away")
    saved(tmp_path)
    build(tmp_path, site)
    assert (site / "CNAME").read_text() == "perf.example.org"
    assert (site / ".git" / "HEAD").read_text() == "ref"
    assert (site / ".git" / "refs" / "tags").is_dir()
    assert "edited" not in (site / "index.html").read_text()
    assert not (site / "records" / f"{gone.record_id}.html").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    assert "CNAME" not in (site / MARKER).read_text()


def test_a_build_that_fails_leaves_the_old_site(tmp_path: Path) -> None:
    saved(tmp_path)
    build(tmp_path, tmp_path / "site")
    before = tree(tmp_path / "site")
    with pytest.raises(RegistryError, match="disk is full"), replacing(tmp_path / "site") as building:
        (building / "index.html").write_text("half")
        raise OSError(28, "No space left on device", str(building / "index.html"))
    assert tree(tmp_path / "site") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mlruns", "site"]


def test_a_full_disk_leaves_the_old_site(tmp_path: Path, small_disk: Callable[[int], SmallDisk]) -> None:
    saved(tmp_path)
    disk = small_disk(8)
    site = disk.path / "site"
    build(tmp_path, site)
    before = tree(site)
    disk.fill()
    with pytest.raises(RegistryError, match=r"the disk is full.*as it was"):
        build(tmp_path, site)
    assert tree(site) == before


def test_a_killed_build_leaves_the_old_site_and_the_next_one_goes_through(tmp_path: Path) -> None:
    saved(tmp_path)
    site = tmp_path / "site"
    build(tmp_path, site)
    before = tree(site)
    code = (
        "import os, signal, sys; from pathlib import Path; from perfdb.report.site.folder import replacing\n"
        "with replacing(Path(sys.argv[1])) as b:\n"
        "    (b / 'index.html').write_text('half'); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(site)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert tree(site) == before
    build(tmp_path, site)
    assert tree(site) == before


def test_what_killed_builds_left_is_swept_up_once_it_is_old(tmp_path: Path) -> None:
    left = tmp_path / ".site.perfdb-building-0123"
    left.mkdir()
    os.utime(left, (0, 0))
    saved(tmp_path)
    build(tmp_path, tmp_path / "site")
    assert not left.exists()


def test_a_site_cut_off_between_two_places_goes_back_to_its_own(tmp_path: Path) -> None:
    saved(tmp_path)
    build(tmp_path, tmp_path / "site")
    (tmp_path / "site" / "CNAME").write_text("perf.example.org")
    (tmp_path / "site").rename(tmp_path / ".site.perfdb-replaced-0123")
    build(tmp_path, tmp_path / "site")
    assert (tmp_path / "site" / "CNAME").read_text() == "perf.example.org"


def test_a_link_to_a_folder_stays_a_link(tmp_path: Path) -> None:
    saved(tmp_path)
    (tmp_path / "real").mkdir()
    (tmp_path / "site").symlink_to("real")
    build(tmp_path, tmp_path / "site")
    build(tmp_path, tmp_path / "site")
    assert (tmp_path / "site").is_symlink()
    assert (tmp_path / "real" / "index.html").is_file()
