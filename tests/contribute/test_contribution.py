"""Records onto a branch: real git, and nothing else in the checkout changes."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from perfdb.contribute import Fault
from perfdb.contribute.intake import Intake
from perfdb.contribute.scratch import scratch_folder
from perfdb.errors import RegistryError, UsageError
from perfdb.record import Annotation, Retraction, new_uuid
from perfdb.registry import Registry
from perfdb.registry.remarks import save_remark
from tests.contribute.world import SOURCE, STARTED, Clone, World, a_record, git


def folder_of(record) -> str:
    return f"mlruns/throughput/{record.environment.machine}/2025-11/{record.record_id}"


def test_records_their_machine_and_nothing_else_are_added_to_the_base(clone: Clone) -> None:
    first, second = clone.measure(1, 2)
    made = clone.contribute()
    assert made.is_new and made.branch.startswith("results/laptop/2025-11-21-")
    assert clone.git("rev-parse", f"{made.branch}^") == clone.git("rev-parse", "origin/main")
    added = clone.files_on(made.branch) - clone.files_on("origin/main")
    files = ("record.json", "SHA256SUMS", "artifacts/01-rep-1.log", "artifacts/config.py")
    machine = f"mlruns/_machines/laptop/{first.environment.machine_fingerprint}.json"
    assert added == {machine, *(f"{folder_of(r)}/{f}" for r in (first, second) for f in files)}


def test_every_byte_arrives_whatever_the_filters_say(
    clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (record,) = clone.measure(1)
    log = clone.path / folder_of(record) / "artifacts" / "01-rep-1.log"
    log.write_bytes(b"one\r\ntwo\n\xff$Id$\r\n")
    (clone.path / ".gitattributes").write_text("* text=auto eol=crlf ident filter=mangle\n")
    (tmp_path / "attributes").write_text("* text=auto ident filter=mangle\n")
    everywhere = tmp_path / "gitconfig"
    everywhere.write_text(
        f'[core]\n autocrlf = true\n attributesFile = {tmp_path}/attributes\n[filter "mangle"]\n clean = tr a-z A-Z\n'
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(everywhere))
    clone.git("config", "filter.mangle.clean", "tr a-z A-Z")
    clone.git("config", "filter.mangle.required", "true")
    made = clone.contribute()
    name = f"{made.branch}:{folder_of(record)}/artifacts/01-rep-1.log"
    shown = subprocess.run(["git", "-C", clone.path, "cat-file", "blob", name], capture_output=True, check=True).stdout
    assert shown == b"one\r\ntwo\n\xff$Id$\r\n"


def test_head_index_edits_stash_and_settings_stay_byte_for_byte(clone: Clone) -> None:
    (clone.path / "README.md").write_text("stashed\n")
    clone.git("stash")
    (clone.path / "README.md").write_text("staged\n")
    clone.git("add", "README.md")
    (clone.path / "README.md").write_text("edited\n")
    clone.measure(1)
    before = clone.state_of_everything()
    made = clone.contribute()
    assert made.is_new
    assert clone.state_of_everything() == before
    assert not clone.state.exists() or list(clone.state.iterdir()) == []


def test_twice_is_once(clone: Clone) -> None:
    clone.measure(1, 2)
    first, second = clone.contribute(), clone.contribute()
    assert (second.branch, second.commit, second.is_new) == (first.branch, first.commit, False)
    assert second.text == first.text


def test_a_branch_that_is_there_gets_what_is_missing_on_top(clone: Clone) -> None:
    one, two = clone.measure(1, 2)
    first = clone.contribute(one.record_id, branch="results/mine")
    second = clone.contribute(two.record_id[:8], branch="results/mine")
    assert clone.git("rev-parse", "results/mine^") == first.commit
    assert {f"{folder_of(r)}/record.json" for r in (one, two)} <= clone.files_on(second.branch)


def test_what_the_base_has_is_not_contributed_again(world: World, clone: Clone) -> None:
    clone.measure(1)
    made = clone.contribute()
    clone.git("push", "--quiet", "origin", made.branch)
    world.merge(made.branch)
    clone.git("fetch", "--quiet")
    assert clone.contribute().branch is None
    (new,) = clone.measure(2)
    assert [record.record_id for record in clone.contribute().records] == [new.record_id]
    assert clone.contribute(a_record(1)[0].record_id).branch is None


def test_a_fault_keeps_all_of_it_out_and_leaves_git_as_it_was(clone: Clone) -> None:
    clone.measure(1, 2)
    before = sorted(p for p in (clone.path / ".git").rglob("*"))
    made = clone.contribute(check=lambda *_: [Fault("a", "is wrong", "mend it")])
    assert [fault.problem for fault in made.faults] == ["is wrong"] and made.branch is None
    assert sorted(p for p in (clone.path / ".git").rglob("*")) == before


def test_what_is_committed_is_what_was_checked(clone: Clone) -> None:
    """A file that changes once it was read, before or while it is checked, changes nothing of what is committed."""
    (record,) = clone.measure(1)
    log = clone.path / folder_of(record) / "artifacts" / "01-rep-1.log"
    good = log.read_text().strip()

    def check(repository: Path, base: str, head: str, registry: str):
        log.write_text("changed after the check\n")
        assert git(repository, "cat-file", "blob", f"{head}:{folder_of(record)}/artifacts/01-rep-1.log") == good
        return []

    made = clone.contribute(check=check)
    assert clone.git("cat-file", "blob", f"{made.branch}:{folder_of(record)}/artifacts/01-rep-1.log") == good


@pytest.mark.parametrize("what", ["file", "folder", "record", "fifo"])
def test_no_link_is_followed(clone: Clone, tmp_path: Path, what: str) -> None:
    (record,) = clone.measure(1)
    folder = clone.path / folder_of(record)
    outside = tmp_path / "outside"
    if what == "file":
        outside.write_text("private")
        (folder / "artifacts" / "01-rep-1.log").unlink()
        (folder / "artifacts" / "01-rep-1.log").symlink_to(outside)
    elif what == "folder":
        shutil.move(folder / "artifacts", outside)
        (folder / "artifacts").symlink_to(outside)
    elif what == "record":
        shutil.move(folder, outside)
        folder.symlink_to(outside)
    else:
        os.mkfifo(folder / "pipe")
    made = clone.contribute()
    assert made.branch is None
    assert made.faults[0].file.startswith(folder_of(record))


def test_a_thousand_repetitions_and_their_config_are_no_odd_folder(clone: Clone) -> None:
    record, files = a_record(1)
    files |= {f"artifacts/{number:04}-rep-{number}.log": b"a line\n" for number in range(1000)}
    Registry(clone.registry).save(record, files)
    made = clone.contribute()
    assert made.faults == () and made.is_new


def test_a_record_that_cannot_be_read_is_a_fault_beside_the_others(clone: Clone) -> None:
    one, _ = clone.measure(1, 2)
    path = clone.path / folder_of(one) / "record.json"
    path.write_bytes(path.read_bytes().replace(b"700", b"999"))
    made = clone.contribute()
    assert [fault.file for fault in made.faults] == [f"{folder_of(one)}/record.json"]
    assert clone.contribute(a_record(2)[0].record_id).is_new


def test_remarks_go_along_if_what_they_are_about_does(clone: Clone) -> None:
    one, two = clone.measure(1, 2)
    about_one = Retraction(uuid=new_uuid(), at=STARTED, record_id=one.record_id, reason="a wrong clock")
    about_two = Annotation(uuid=new_uuid(), at=STARTED, record_ids=(two.record_id,), note="a new kernel")
    for remark in (about_one, about_two):
        save_remark(clone.registry, remark)
    made = clone.contribute(one.record_id)
    assert f"mlruns/{about_one.file}" in clone.files_on(made.branch)
    assert f"mlruns/{about_two.file}" not in clone.files_on(made.branch)
    assert any("1 remarks are left out" in said for said in clone.observer.said)
    assert f"mlruns/{about_two.file}" in clone.files_on(clone.contribute().branch)


def test_a_retraction_alone_is_a_contribution(world: World, clone: Clone) -> None:
    (record,) = clone.measure(1)
    made = clone.contribute()
    clone.git("push", "--quiet", "origin", made.branch)
    world.merge(made.branch)
    clone.git("fetch", "--quiet")
    remark = Retraction(uuid=new_uuid(), at=STARTED, record_id=record.record_id, reason="a wrong clock")
    save_remark(clone.registry, remark)
    made = clone.contribute()
    assert made.branch == f"results/remarks/2025-11-21-{remark.uuid[:8]}"
    assert clone.files_on(made.branch) - clone.files_on("origin/main") == {f"mlruns/{remark.file}"}


def test_a_config_goes_along_if_it_is_the_one_that_was_measured(clone: Clone) -> None:
    clone.measure(1)
    (clone.path / "parsl-configs").mkdir()
    config = clone.path / "parsl-configs" / "local_htex.py"
    config.write_bytes(SOURCE + b"# edited since\n")
    made = clone.contribute(with_config=True)
    assert "parsl-configs/local_htex.py" not in clone.files_on(made.branch)
    assert any("edited since" in said for said in clone.observer.said)
    config.write_bytes(SOURCE)
    made = clone.contribute(with_config=True)
    assert "parsl-configs/local_htex.py" in clone.files_on(made.branch)
    assert "read before it is merged" in made.text


def test_a_registry_outside_is_filed_under_its_usual_name(clone: Clone, tmp_path: Path) -> None:
    (record,) = clone.measure(1)
    shutil.move(clone.registry, tmp_path / "elsewhere")
    made = clone.contribute(registry=tmp_path / "elsewhere")
    assert f"{folder_of(record)}/record.json" in clone.files_on(made.branch)


def test_a_registry_kept_under_another_name_is_filed_under_that(clone: Clone) -> None:
    clone.measure(1)
    (clone.path / "data").mkdir()
    clone.registry.rename(clone.path / "data" / "runs")
    made = clone.contribute(registry=clone.path / "data" / "runs")
    assert all(f.startswith("data/runs/") for f in clone.files_on(made.branch) - clone.files_on("origin/main"))


def test_where_there_is_no_checkout_one_paragraph_says_so(clone: Clone, tmp_path: Path) -> None:
    clone.measure(1)
    shutil.move(clone.registry, tmp_path / "elsewhere")
    with pytest.raises(RegistryError, match="Clone the results repository"):
        clone.contribute(registry=tmp_path / "elsewhere", root=tmp_path)
    with pytest.raises(RegistryError, match="bare git repository"):
        clone.contribute(registry=tmp_path / "elsewhere", root=tmp_path / "remote.git")
    with pytest.raises(RegistryError, match="there is no registry"):
        clone.contribute()


def test_without_an_identity_nothing_is_done(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "EMAIL"):
        monkeypatch.delenv(name, raising=False)
    clone.measure(1)
    before = clone.state_of_everything()
    with pytest.raises(RegistryError, match=r"git config --global user\.email"):
        clone.contribute()
    assert clone.state_of_everything() == before
    clone.git("config", "user.name", "Some Body")
    clone.git("config", "user.email", "some@example.org")
    made = clone.contribute()
    assert (
        clone.git("log", "-1", "--format=%an %ae %cn %ce", made.commit)
        == "Some Body some@example.org Some Body some@example.org"
    )


def test_no_name_is_made_up_from_the_users_and_the_hosts(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    """git would take the name from the system's list of users."""
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.delenv(f"GIT_{role}_NAME")
    clone.measure(1)
    with pytest.raises(RegistryError, match=r"git config --global user\.name"):
        clone.contribute()


def test_a_branch_that_somebody_works_on_is_left_alone(clone: Clone, tmp_path: Path) -> None:
    clone.measure(1)
    clone.git("checkout", "--quiet", "-b", "results/mine")
    before = clone.state_of_everything()
    with pytest.raises(UsageError, match="checked out in"):
        clone.contribute(branch="results/mine")
    clone.git("checkout", "--quiet", "main")
    clone.git("worktree", "add", "--quiet", str(tmp_path / "second"), "results/mine")
    with pytest.raises(UsageError, match="second"):
        clone.contribute(branch="results/mine")
    assert before.keys() <= clone.state_of_everything().keys()


@pytest.mark.parametrize("name", ["-f", "a..b", "a b", "refs/../x", "x.lock", ""])
def test_what_cannot_name_a_branch_is_refused(clone: Clone, name: str) -> None:
    clone.measure(1)
    with pytest.raises(UsageError, match="cannot name a git branch"):
        clone.contribute(branch=name)


def test_a_branch_in_the_way_of_the_name_is_told(clone: Clone) -> None:
    clone.measure(1)
    clone.git("branch", "results")
    with pytest.raises(RegistryError, match="refs/heads/results"):
        clone.contribute()


def test_the_base_is_what_was_asked_for_or_the_remotes_trunk_or_ours(clone: Clone) -> None:
    clone.measure(1)
    assert clone.contribute().base.name == "origin/main"
    assert clone.contribute(base="HEAD").base.name == "HEAD"
    clone.git("remote", "set-head", "origin", "--delete")
    assert clone.contribute().base.name == "origin/main"
    clone.git("remote", "remove", "origin")
    assert clone.contribute().base.name == "main"
    with pytest.raises(UsageError, match="no such commit"):
        clone.contribute(base="nowhere")
    with pytest.raises(UsageError, match="no remote 'nobody'"):
        clone.contribute(remote="nobody")


def test_a_repository_without_a_commit_is_told(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "empty")
    clone = Clone(tmp_path / "empty", tmp_path / "state")
    clone.measure(1)
    with pytest.raises(RegistryError, match="first commit"):
        clone.contribute()


def test_a_registry_that_is_a_link_or_a_file_on_the_base_is_told(clone: Clone) -> None:
    (clone.path / "mlruns").symlink_to("elsewhere")
    clone.git("add", "mlruns")
    clone.git("commit", "--quiet", "--message=a link")
    (clone.path / "mlruns").unlink()
    clone.measure(1)
    with pytest.raises(RegistryError, match="is no folder but a file, a link"):
        clone.contribute(base="HEAD")


def test_a_detached_head_changes_nothing(clone: Clone) -> None:
    clone.git("checkout", "--quiet", "--detach")
    clone.measure(1)
    before = clone.state_of_everything()
    assert clone.contribute().is_new
    assert clone.state_of_everything() == before


def test_a_shallow_clone_will_do(world: World) -> None:
    full = world.clone("full")
    for number in range(3):
        full.git("commit", "--quiet", "--allow-empty", f"--message={number}")
    full.git("push", "--quiet", "origin", "main")
    shallow = world.clone("shallow", "--depth=1")
    shallow.measure(1)
    made = shallow.contribute()
    shallow.git("push", "--quiet", "origin", made.branch)
    full.git("fetch", "--quiet")
    assert full.git("rev-parse", f"origin/{made.branch}~1") == full.git("rev-parse", "HEAD")


def test_a_linked_worktree_and_packed_refs_will_do(clone: Clone, tmp_path: Path) -> None:
    clone.git("pack-refs", "--all")
    clone.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"))
    linked = Clone(tmp_path / "linked", tmp_path / "state")
    linked.measure(1)
    made = linked.contribute()
    assert clone.git("rev-parse", made.branch) == made.commit


def test_a_submodule_is_a_checkout_of_its_own(world: World, clone: Clone) -> None:
    outer = world.root / "outer"
    git(world.root, "init", "--quiet", "outer")
    git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(world.remote), "inner")
    inner = Clone(outer / "inner", world.root / "state")
    inner.measure(1)
    made = inner.contribute()
    assert made.branch in inner.git("branch", "--list", made.branch)
    assert git(outer, "branch", "--list") == ""


def test_a_repository_of_sha256_objects_will_do(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.build("--object-format=sha256")
    clone = world.clone("clone")
    clone.measure(1)
    assert len(clone.contribute().commit) == 64
    clone.git("fsck", "--strict")


def test_another_repository_in_the_environment_is_not_touched(
    world: World, clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = world.clone("other")
    before = other.state_of_everything()
    clone.measure(1)
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.path))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.path / ".git" / "index"))
    made = clone.contribute()
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name)
    assert clone.git("rev-parse", made.branch) == made.commit
    assert other.state_of_everything() == before


def test_no_hook_of_the_checkout_runs(clone: Clone) -> None:
    for hook in (
        "pre-commit",
        "commit-msg",
        "prepare-commit-msg",
        "post-commit",
        "reference-transaction",
        "post-index-change",
    ):
        path = clone.path / ".git" / "hooks" / hook
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\ntouch {clone.state}-hook\nexit 1\n")
        path.chmod(0o755)
    clone.measure(1)
    assert clone.contribute().is_new
    assert not Path(f"{clone.state}-hook").exists()


def test_a_stale_lock_is_told_and_a_repeat_completes(clone: Clone) -> None:
    clone.measure(1)
    lock = clone.path / ".git" / "refs" / "heads" / "results" / "mine.lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    (clone.path / ".git" / "index.lock").touch()
    with pytest.raises(RegistryError, match=r"`\.lock` file that a killed git left can be removed"):
        clone.contribute(branch="results/mine")
    lock.unlink()
    assert clone.contribute(branch="results/mine").is_new


def test_a_branch_that_moves_meanwhile_is_built_upon(clone: Clone) -> None:
    one, two = clone.measure(1, 2)
    turns = []

    def check(*_):
        turns.append(1)
        if len(turns) == 1:
            clone.contribute(two.record_id, branch="results/mine")
        return []

    made = clone.contribute(one.record_id, branch="results/mine", check=check)
    assert len(turns) == 2
    assert {f"{folder_of(r)}/record.json" for r in (one, two)} <= clone.files_on(made.commit)
    assert clone.git("rev-list", "--count", "origin/main..results/mine") == "2"


def test_a_remotes_branch_that_went_on_is_gone_on_with(world: World, clone: Clone) -> None:
    other = world.clone("other")
    one, two = clone.measure(1), other.measure(2)
    other.contribute(branch="results/mine")
    other.git("push", "--quiet", "origin", "results/mine")
    clone.git("fetch", "--quiet")
    made = clone.contribute(branch="results/mine")
    assert {f"{folder_of(r)}/record.json" for r in (*one, *two)} <= clone.files_on(made.commit)
    clone.git("push", "--quiet", "origin", "results/mine")


def test_a_branch_that_is_behind_the_remotes_follows_it(world: World, clone: Clone) -> None:
    other = world.clone("other")
    clone.measure(1)
    clone.contribute(branch="results/mine")
    clone.git("push", "--quiet", "origin", "results/mine")
    other.measure(2)
    other.git("fetch", "--quiet")
    theirs = other.contribute(branch="results/mine")
    other.git("push", "--quiet", "origin", "results/mine")
    clone.git("fetch", "--quiet")
    made = clone.contribute(branch="results/mine")
    assert (made.commit, made.is_new) == (theirs.commit, False)
    assert clone.git("rev-parse", "results/mine") == theirs.commit


def test_branches_that_went_different_ways_are_both_left_alone(world: World, clone: Clone) -> None:
    other = world.clone("other")
    clone.measure(1)
    other.measure(2)
    first = clone.contribute(branch="results/mine")
    other.contribute(branch="results/mine")
    other.git("push", "--quiet", "origin", "results/mine")
    clone.git("fetch", "--quiet")
    with pytest.raises(RegistryError, match="--branch results/mine-2"):
        clone.contribute(branch="results/mine")
    assert clone.git("rev-parse", "results/mine") == first.commit


def test_a_signature_is_made_if_the_user_signs(clone: Clone) -> None:
    key = clone.path.parent / "key"
    if shutil.which("ssh-keygen") is None:
        pytest.skip("there is no ssh-keygen")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    clone.git("config", "commit.gpgsign", "true")
    clone.git("config", "gpg.format", "ssh")
    clone.git("config", "user.signingkey", str(key))
    clone.measure(1)
    assert "BEGIN SSH SIGNATURE" in clone.git("cat-file", "commit", clone.contribute().commit)


def test_a_full_disk_leaves_no_branch_and_a_repeat_completes(world: World, small_disk) -> None:
    disk = small_disk(8)
    git(disk.path, "clone", "--quiet", world.remote.as_uri(), "clone")
    clone = Clone(disk.path / "clone", world.root / "state")
    clone.measure(1)
    disk.fill()
    before = clone.state_of_everything()
    with pytest.raises(RegistryError, match="no branch was changed"):
        clone.contribute()
    assert clone.state_of_everything() == before
    clone.git("fsck", "--strict")
    disk.free(1 << 20)
    assert clone.contribute().is_new


@pytest.mark.parametrize("pages", [3, 8, 16])
def test_a_full_disk_for_our_own_files_is_told_and_no_record_is_blamed(clone: Clone, small_disk, pages: int) -> None:
    disk = small_disk(1)
    clone.measure(*range(5))
    disk.fill()
    disk.free(pages * 4096)
    before = clone.state_of_everything()
    with pytest.raises(RegistryError, match=r"(no branch was changed|Nothing was committed)"):
        clone.contribute(state_path=disk.path)
    assert clone.state_of_everything() == before
    assert disk.files() == []


def test_a_copy_that_finds_no_room_is_our_trouble_and_no_fault_of_a_record(clone: Clone, small_disk) -> None:
    clone.measure(1)
    disk = small_disk(1)
    intake = Intake(disk.path / "files", clone.registry, "mlruns")
    disk.fill()
    (folder,) = Registry(clone.registry).folders()
    with pytest.raises(RegistryError, match="disk is full"):
        intake.take_folder(str(folder.relative_to(clone.registry)))
    assert intake.faults == []


def test_a_read_only_git_folder_is_told(world: World, small_disk) -> None:
    disk = small_disk(8)
    git(disk.path, "clone", "--quiet", world.remote.as_uri(), "clone")
    clone = Clone(disk.path / "clone", world.root / "state")
    clone.measure(1)
    disk.make_read_only()
    with pytest.raises(RegistryError, match="no branch was changed"):
        clone.contribute()
    assert clone.git("branch", "--list", "results/*") == ""


def test_what_a_killed_command_left_is_swept_and_a_live_ones_is_not(tmp_path: Path) -> None:
    dead = subprocess.Popen(["true"])
    with scratch_folder(tmp_path) as live:
        owner = (live / "owner").read_text()
        killed = tmp_path / "contribute" / "killed"
        killed.mkdir()
        (killed / "owner").write_text(owner.replace(f'"pid": {os.getpid()}', f'"pid": {dead.pid}'))
        dead.wait()
        with scratch_folder(tmp_path):
            assert live.exists() and not killed.exists()
    assert not (tmp_path / "contribute").exists()
