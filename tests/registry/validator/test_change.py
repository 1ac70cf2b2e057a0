"""What a branch may add, read from git's objects alone."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from perfdb.errors import UsageError
from perfdb.record import Annotation, Retraction, new_uuid
from perfdb.registry.remarks import save_remark
from perfdb.registry.validator import Report, as_markdown, validate_change
from tests.registry.validator.honest import RULES, STARTED, codes, honest
from tests.registry.validator.repositories import commit, git, repository


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A registry of one record on main; we stand on a branch of it."""
    folder = repository(tmp_path / "results")
    honest(0).write(folder / "mlruns")
    commit(folder, "one record")
    git(folder, "switch", "--quiet", "--create", "contribution")
    return folder


def change(folder: Path) -> Report:
    commit(folder, "contribute")
    return validate_change(folder, "main", "HEAD", "mlruns", RULES)


def test_a_branch_that_adds_an_honest_record_has_no_fault(repo: Path):
    record = honest(1).write(repo / "mlruns").name
    report = change(repo)
    assert report.faults == ()
    assert report.records == (record,)
    assert report.files == 5
    assert not report.contains_code


def test_nothing_is_checked_out_and_nothing_of_the_checkout_is_read(repo: Path):
    honest(1).write(repo / "mlruns")
    head = commit(repo, "contribute")
    git(repo, "switch", "--quiet", "main")
    shutil.rmtree(repo / "mlruns")
    assert validate_change(repo, "main", head, "mlruns", RULES).ok
    assert not (repo / "mlruns").exists()
    bare = repo.parent / "bare.git"
    git(repo, "clone", "--quiet", "--bare", str(repo), str(bare))
    assert validate_change(bare, "main", head, "mlruns", RULES).ok


def test_what_the_base_got_meanwhile_is_no_change_of_the_branch(repo: Path):
    honest(1).write(repo / "mlruns")
    commit(repo, "contribute")
    git(repo, "switch", "--quiet", "main")
    honest(2).write(repo / "mlruns")
    (repo / "README.md").write_text("Results, more of them.\n")
    commit(repo, "meanwhile")
    git(repo, "switch", "--quiet", "contribution")
    assert validate_change(repo, "main", "HEAD", "mlruns", RULES).ok


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("edit", "not-an-addition"),
        ("delete", "not-an-addition"),
        ("rename", "not-an-addition"),
        ("link", "not-a-plain-file"),
        ("executable", "not-a-plain-file"),
        ("elsewhere", "odd-path"),
        ("workflow", "odd-path"),
        ("odd name", "odd-path"),
        ("submodule", "not-a-plain-file"),
        ("instead of a folder", "not-an-addition"),
    ],
)
def test_a_branch_that_does_more_than_add_plain_files_is_refused(what: str, code: str, repo: Path):
    folder = honest(1).write(repo / "mlruns")
    (old,) = (path for path in folder.parent.iterdir() if path != folder)
    if what == "edit":
        (old / "artifacts" / "01-rep-1.log").write_text("better\n")
    elif what == "delete":
        (old / "artifacts" / "01-rep-1.log").unlink()
    elif what == "rename":
        old.rename(old.parent / ("0" * 16))
    elif what == "link":
        (folder / "artifacts" / "more").symlink_to("/etc/passwd")
    elif what == "executable":
        (folder / "artifacts" / "config.py").chmod(0o755)
    elif what == "elsewhere":
        (repo / "setup.py").write_text("")
    elif what == "workflow":
        (repo / ".github").mkdir()
        (repo / ".github" / "x.yml").write_text("")
    elif what == "odd name":
        (repo / "mlruns" / "a\nb").write_text("")
    elif what == "submodule":
        git(repo, "init", "--quiet", str(folder / "artifacts" / "sub"))
        commit(folder / "artifacts" / "sub", "x")
    else:
        shutil.rmtree(old)
        old.write_text("")
    assert code in codes(change(repo))


def test_faults_are_named_from_the_repositorys_top(repo: Path):
    folder = honest(1).write(repo / "mlruns")
    (folder / "artifacts" / "more").touch()
    assert [fault.file for fault in change(repo).faults] == [str((folder / "artifacts" / "more").relative_to(repo))]


def test_a_measurement_that_the_base_has_is_a_duplicate(repo: Path):
    again = honest(0)
    again.document["run_name"] = "under another name"
    again.write(repo / "mlruns")
    assert codes(change(repo)) == {"duplicate"}


def test_a_remark_may_be_about_a_record_that_the_base_has(repo: Path):
    known = honest(0).write(repo.parent / "elsewhere").name
    save_remark(repo / "mlruns", Annotation(uuid=new_uuid(), at=STARTED, record_ids=(known,), note="new kernel"))
    assert change(repo).ok
    save_remark(repo / "mlruns", Annotation(uuid=new_uuid(), at=STARTED, record_ids=("0" * 16,), note="of nothing"))
    assert codes(change(repo)) == {"reference-broken"}


def test_a_file_more_in_a_record_that_the_base_has_is_refused(repo: Path):
    (old,) = (repo / "mlruns" / "throughput" / "hopper" / "2026-11").iterdir()
    (old / "artifacts" / "more").touch()
    assert codes(change(repo)) == {"file-not-named"}


def test_a_blob_that_is_too_large_is_never_read(repo: Path):
    draft = honest(1)
    draft.beside["record.json"] = b" " * (4 * 1024 * 1024)
    draft.write(repo / "mlruns")
    assert "record-unreadable" in codes(change(repo))


CONFIG = "from parsl.config import Config\n\nconfig = Config()\n"


@pytest.mark.parametrize(
    ("name", "source", "code"),
    [
        ("slurm_hopper.py", CONFIG, None),
        ("Hopper.py", CONFIG, "wrong-name"),
        ("slurm_hopper.py", "config = (\n", "not-python"),
        ("slurm_hopper.py", "config = " + "(" * 50_000, "not-python"),
        ("slurm_hopper.py", "config = " + "-" * 100_000 + "1", "not-python"),
        ("slurm_hopper.py", "x = 1\n", "no-config"),
        ("slurm_hopper.py", CONFIG + "account = 'm1234'\n", "holds-secret"),
        ("slurm_hopper.py", CONFIG + "x = '\\x2fhome\\x2fsomebody/x'\n", "holds-home"),
        ("slurm_hopper.py", CONFIG + "#" * 200_000, "too-large"),
        ("slurm_hopper.py", "config = None\nraise SystemExit(open('ran', 'w'))\n", None),
    ],
)
def test_a_config_is_judged_from_its_source_and_marks_the_change_as_code(
    name: str, source: str, code: str | None, repo: Path
):
    (repo / "parsl-configs" / name).write_text(source)
    report = change(repo)
    assert codes(report) == ({code} if code else set())
    assert report.contains_code
    assert not (repo / "ran").exists()


def test_a_config_that_is_a_link_is_refused(repo: Path):
    (repo / "parsl-configs" / "local_x.py").symlink_to("local_htex.py")
    assert codes(change(repo)) == {"not-a-plain-file"}


def test_a_revision_that_is_none_is_a_usage_error_and_no_option(repo: Path):
    for revision in ("nowhere", "--output=x", ""):
        with pytest.raises(UsageError, match="git knows no commit"):
            validate_change(repo, revision, "HEAD", "mlruns", RULES)


def test_branches_with_nothing_in_common_are_a_usage_error(repo: Path):
    git(repo, "switch", "--quiet", "--orphan", "other")
    commit(repo, "apart")
    with pytest.raises(UsageError, match="no commit in common"):
        validate_change(repo, "main", "HEAD", "mlruns", RULES)


HIDDEN = {
    "text turned around": CONFIG + "# \u202e safe\n",
    "a line end that few readers see": CONFIG + "# safe\rimport os\n",
    "comments that are code in another encoding": "# coding: utf-7\n" + CONFIG,
    "another encoding in the second line": "#!/usr/bin/env python\n# -*- coding=rot13 -*-\n" + CONFIG,
}


@pytest.mark.parametrize("what", HIDDEN)
def test_a_config_that_python_reads_otherwise_than_people_is_refused(what: str, repo: Path):
    (repo / "parsl-configs" / "slurm_hopper.py").write_bytes(HIDDEN[what].encode())
    assert "hidden-code" in codes(change(repo))


@pytest.mark.parametrize(
    "source", ["# -*- coding: utf-8 -*-\n" + CONFIG, CONFIG.replace("\n", "\r\n"), "# é☃\n" + CONFIG]
)
def test_a_config_may_name_utf_8_and_end_its_lines_as_it_likes(source: str, repo: Path):
    (repo / "parsl-configs" / "slurm_hopper.py").write_bytes(source.encode())
    assert change(repo).ok


def test_what_a_request_withdraws_is_told(repo: Path):
    known = honest(0).write(repo.parent / "elsewhere").name
    save_remark(repo / "mlruns", Retraction(uuid=new_uuid(), at=STARTED, record_id=known, reason="too fast"))
    save_remark(
        repo / "mlruns",
        Annotation(uuid=new_uuid(), at=STARTED, record_ids=(known,), note="new disk", resets_baseline=True),
    )
    report = change(repo)
    assert report.ok
    assert (report.withdrawn, report.resets) == ((known,), 1)
    assert known in as_markdown(report)


def made(repo: Path, entries: bytes, *, literally: bool = False) -> str:
    """A commit on main whose folder `mlruns` is this one."""
    how = ("hash-object", "-w", "-t", "tree", "--literally", "--stdin") if literally else ("mktree", "-z", "--missing")
    mlruns = given(repo, entries, *how)
    top = given(repo, f"040000 tree {mlruns}\tmlruns\0".encode(), "mktree", "-z")
    return git(repo, "commit-tree", "-p", "main", "-m", "contribute", top)


def given(repo: Path, entries: bytes, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=repo, input=entries, capture_output=True, check=True)
    return done.stdout.decode().strip()


def test_a_tree_without_end_is_refused_after_as_many_files_as_anybody_adds(repo: Path, monkeypatch: pytest.MonkeyPatch):
    """With as many as that really is: tests/deploy/test_check_contribution.py."""
    monkeypatch.setattr("perfdb.registry.validator.validate.MOST_CHANGES", 300)
    tree = given(repo, f"100644 blob {git(repo, 'rev-parse', 'main:README.md')}\ta\0".encode(), "mktree", "-z")
    for _ in range(18):
        tree = given(repo, "".join(f"040000 tree {tree}\t{n}\0" for n in range(10)).encode(), "mktree", "-z")
    head = made(repo, f"040000 tree {tree}\tx\0".encode())
    assert "too-many-files" in codes(validate_change(repo, "main", head, "mlruns", RULES))


def test_folders_within_folders_without_a_file_are_refused(repo: Path):
    tree = given(repo, b"", "mktree", "-z")
    for _ in range(100):
        tree = given(repo, f"040000 tree {tree}\tx\0".encode(), "mktree", "-z")
    head = made(repo, f"040000 tree {tree}\tx\0".encode())
    assert "not-an-addition" in codes(validate_change(repo, "main", head, "mlruns", RULES))


@pytest.mark.parametrize("names", [(b"a", b"a"), (b"a/b",), (b"",)])
def test_a_folder_that_git_would_not_make_is_refused(names: tuple[bytes, ...], repo: Path):
    blob = bytes.fromhex(git(repo, "rev-parse", "main:README.md"))
    head = made(repo, b"".join(b"100644 " + name + b"\0" + blob for name in names), literally=True)
    told = validate_change(repo, "main", head, "mlruns", RULES).faults
    assert any(fault.code == "not-an-addition" and fault.file == "mlruns" for fault in told)


def test_a_folder_of_garbage_is_refused(repo: Path):
    head = made(repo, b"no tree at all", literally=True)
    assert not validate_change(repo, "main", head, "mlruns", RULES).ok


def test_branches_merged_crosswise_are_a_usage_error(repo: Path):
    """Against one of the two commits in common, the branch changes nothing; merged, it takes back what main mended."""
    honest(1).write(repo / "mlruns")
    theirs = commit(repo, "contribute")
    git(repo, "switch", "--quiet", "main")
    (repo / "README.md").write_text("Mended.\n")
    mended = commit(repo, "mend")
    git(repo, "merge", "--quiet", "--no-ff", "-m", "take in", theirs)
    git(repo, "switch", "--quiet", "contribution")
    git(repo, "merge", "--quiet", "--no-commit", mended)
    git(repo, "checkout", "--quiet", theirs, "--", "README.md")
    git(repo, "commit", "--quiet", "-m", "merge, and quietly take back")
    with pytest.raises(UsageError, match="crosswise"):
        validate_change(repo, "main", "HEAD", "mlruns", RULES)


def test_a_file_that_becomes_a_folder_and_the_other_way_round_is_no_addition(repo: Path):
    shutil.rmtree(repo / "mlruns")
    (repo / "mlruns").write_text("")
    (repo / "README.md").unlink()
    (repo / "README.md").mkdir()
    (repo / "README.md" / "x").write_text("")
    assert {"README.md", "mlruns/throughput/hopper/2026-11"} <= {
        fault.file if fault.file == "README.md" else fault.file[:32] for fault in change(repo).faults
    }
