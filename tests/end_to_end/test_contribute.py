"""From a registry to another's clone: the real command, a real remote, real merges, and everything that goes wrong."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from perfdb.record import Retraction, new_uuid
from perfdb.registry import Registry
from perfdb.registry.remarks import save_remark
from tests.contribute.world import STARTED, Clone, World, document, git


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.build()
    return made


@pytest.fixture
def clone(world: World) -> Iterator[Clone]:
    made = world.clone("clone")
    yield made
    assert not made.state.exists() or list(made.state.iterdir()) == [], "something private was left behind"


def ids(root: Path) -> set[str]:
    return {entry.record.record_id for entry in Registry(root).entries()}


def refusing_hook(folder: Path, name: str, says: str) -> Path:
    hook = folder / "hooks" / name
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\necho '{says}' >&2\nexit 1\n")
    hook.chmod(0o755)
    return hook


def test_from_one_clone_to_another_over_a_pull_request(world: World, clone: Clone) -> None:
    records = clone.measure(1, 2)
    before = clone.state_of_everything()
    told = document(clone.perfdb("contribute", "--push", "--json"))
    assert told["pushed"] is True and told["commit"] == git(world.remote, "rev-parse", told["branch"])
    assert sorted(told["records"]) == sorted(r.record_id for r in records)
    assert told["pull_request_text"].startswith("## throughput on laptop: 2 records")
    assert [step for step in told["next"] if "open a pull request" in step]
    after = clone.state_of_everything()
    assert {n for n in after if after[n] != before.get(n)} == {
        n for n in after if n.startswith((".git/refs/remotes/origin/results", ".git/logs/refs/remotes/origin/results"))
    }
    world.merge(told["branch"])
    other = world.clone("other")
    assert ids(other.registry) == {r.record_id for r in records}
    assert other.perfdb("validate").returncode == 0
    assert other.perfdb("contribute").stderr.splitlines()[-1].startswith("nothing to contribute")


def test_the_text_goes_to_stdout_or_to_a_file_and_everything_else_to_stderr(clone: Clone, tmp_path: Path) -> None:
    clone.measure(1)
    shown = clone.perfdb("contribute")
    assert shown.returncode == 0 and shown.stdout.startswith("## throughput on laptop")
    assert "git -C" in shown.stderr and "push origin results/laptop/" in shown.stderr
    written = clone.perfdb("contribute", "--text", str(tmp_path / "text.md"))
    assert (written.stdout, (tmp_path / "text.md").read_text()) == ("", shown.stdout)
    nowhere = clone.perfdb("contribute", "--text", str(tmp_path / "no" / "text.md"))
    assert nowhere.returncode == 1 and "another --text FILE" in nowhere.stderr


@pytest.mark.parametrize("what", ["secret", "altered", "extra file", "no machine"])
def test_what_would_not_be_let_in_is_not_committed(clone: Clone, what: str) -> None:
    good, bad = clone.measure(1, 2)
    folder = Registry(clone.registry).folder_of(bad)
    if what == "secret":
        fake = "ghp_" + "0123456789abcdefghijABCDEFGHIJ012345"
        clone.measure(3, reason=f"token {fake}", status="failed")
    elif what == "altered":
        (folder / "artifacts" / "01-rep-1.log").write_text("run 3\n")
    elif what == "extra file":
        (folder / "notes.txt").write_text("mine\n")
    else:
        next((clone.registry / "_machines" / "laptop").iterdir()).unlink()
    before = clone.state_of_everything()
    done = clone.perfdb("contribute", "--push")
    assert done.returncode == 5, done.stderr
    assert done.stdout == "" and "nothing was committed" in done.stderr and "Traceback" not in done.stderr
    told = document(clone.perfdb("contribute", "--json"))
    assert told["branch"] is None and all(fault["problem"] and fault["remedy"] for fault in told["faults"])
    assert clone.state_of_everything() == before
    assert clone.git("branch", "--list", "results/*") == ""
    if what != "no machine":
        assert clone.perfdb("contribute", good.record_id).returncode == 0


def test_a_config_goes_along_as_code(world: World, clone: Clone) -> None:
    clone.measure(1)
    (clone.path / "parsl-configs").mkdir()
    (clone.path / "parsl-configs" / "local_htex.py").write_bytes(
        b"from parsl.config import Config\n\nconfig = Config()\n"
    )
    told = document(clone.perfdb("contribute", "--with-config", "--json"))
    assert "parsl-configs/local_htex.py" in clone.files_on(told["branch"])
    checked = document(clone.perfdb("validate", "--base", "origin/main", "--head", told["branch"], "--json"))
    assert checked["ok"] and checked["contains_code"]


def test_a_remote_that_rejects_loses_nothing_and_a_repeat_completes(world: World, clone: Clone) -> None:
    clone.measure(1)
    hook = refusing_hook(world.remote, "pre-receive", "closed on Saturdays")
    done = clone.perfdb("contribute", "--push")
    assert done.returncode == 1 and "closed on Saturdays" in done.stderr and "is kept in" in done.stderr
    assert done.stdout.startswith("## throughput")
    told = document(clone.perfdb("contribute", "--push", "--json"))
    assert told["pushed"] is False and told["next"][0].split()[3:5] == ["push", "origin"]
    hook.unlink()
    told = document(clone.perfdb("contribute", "--push", "--json"))
    assert told["pushed"] is True and told["new_commit"] is False


def test_who_may_not_push_there_pushes_the_same_branch_to_a_fork(world: World, clone: Clone) -> None:
    clone.measure(1)
    refusing_hook(world.remote, "pre-receive", "Permission to push denied")
    done = clone.perfdb("contribute", "--push")
    assert done.returncode == 1 and "with --remote fork" in done.stderr
    git(world.root, "init", "--quiet", "--bare", "fork.git")
    clone.git("remote", "add", "fork", str(world.root / "fork.git"))
    told = document(clone.perfdb("contribute", "--push", "--remote", "fork", "--json"))
    assert told["pushed"] and not told["new_commit"] and told["base"]["name"] == "origin/main"
    assert git(world.root / "fork.git", "rev-parse", told["branch"]) == told["commit"]


def test_a_hook_of_ones_own_may_refuse_the_push_and_only_that(clone: Clone) -> None:
    clone.measure(1)
    for name in ("pre-commit", "commit-msg", "reference-transaction"):
        refusing_hook(clone.path / ".git", name, f"{name} says no")
    told = document(clone.perfdb("contribute", "--json"))
    assert told["commit"]
    refusing_hook(clone.path / ".git", "pre-push", "not today")
    done = clone.perfdb("contribute", "--push")
    assert done.returncode == 1 and "is kept in" in done.stderr


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("https://someone:hunter2-not-a-secret@127.0.0.1:9/results.git", "Once the network is back"),
        ("https://someone:hunter2/not@a-secret@127.0.0.1:9/results.git", "Once the network is back"),
        ("/nowhere/at/all.git", "git remote -v"),
        ("ext::sh -c 'exit 1'", "failed"),
    ],
)
def test_a_remote_that_is_not_there_is_told_without_its_password(clone: Clone, url: str, says: str) -> None:
    clone.measure(1)
    clone.git("remote", "set-url", "--push", "origin", url)
    done = clone.perfdb("contribute", "--push")
    assert done.returncode == 1 and says in done.stderr, done.stderr
    assert "is kept in" in done.stderr
    assert not any(part in done.stdout + done.stderr for part in ("hunter2", "a-secret", "someone"))


def test_an_address_in_place_of_a_remotes_name_is_told_without_its_password(clone: Clone) -> None:
    clone.measure(1)
    done = clone.perfdb("contribute", "--remote", "https://someone:hunter2@host.example/results.git")
    assert done.returncode == 2 and "host.example" in done.stderr
    assert "hunter2" not in done.stderr


@pytest.mark.parametrize("kept_back", ["blob:none", "tree:0"])
def test_a_partial_clone_contributes(world: World, kept_back: str) -> None:
    """What it has not got of the base, the machine's description, is there for all that."""
    git(world.remote, "config", "uploadpack.allowFilter", "true")
    full = world.clone("full")
    full.measure(1)
    branch = document(full.perfdb("contribute", "--push", "--json"))["branch"]
    world.merge(branch)
    partial = world.clone("partial", f"--filter={kept_back}", "--no-checkout")
    partial.measure(2)
    told = document(partial.perfdb("contribute", "--push", "--json"))
    assert told["pushed"] and len(told["records"]) == 1


def test_how_the_environment_has_git_read_paths_changes_nothing(clone: Clone) -> None:
    clone.measure(1)
    done = clone.perfdb("contribute", "--json", GIT_ICASE_PATHSPECS="1", GIT_LITERAL_PATHSPECS="1")
    assert document(done)["new_commit"]


def test_a_hook_that_hangs_ends_with_ctrl_c_and_the_branch_is_kept(clone: Clone, tmp_path: Path) -> None:
    clone.measure(1)
    hook = refusing_hook(clone.path / ".git", "pre-push", "")
    hook.write_text(
        f"#!/bin/sh\necho $$ > {tmp_path}/begun.new\nmv {tmp_path}/begun.new {tmp_path}/begun\nexec sleep 600\n"
    )
    push = clone.start("contribute", "--push")
    while not (tmp_path / "begun").exists():
        assert push.poll() is None
        time.sleep(0.01)
    try:
        push.send_signal(signal.SIGINT)
        assert push.wait(timeout=30) == 130
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int((tmp_path / "begun").read_text()), signal.SIGKILL)
    hook.unlink()
    assert document(clone.perfdb("contribute", "--push", "--json"))["pushed"]


def test_a_signature_that_fails_leaves_no_branch(clone: Clone) -> None:
    clone.git("config", "commit.gpgsign", "true")
    clone.git("config", "gpg.program", "false")
    clone.measure(1)
    done = clone.perfdb("contribute")
    assert done.returncode == 1 and "gpg failed to sign" in done.stderr
    assert clone.git("branch", "--list", "results/*") == ""


def test_without_a_remote_the_commands_to_type_are_told(clone: Clone) -> None:
    clone.measure(1)
    clone.git("remote", "remove", "origin")
    done = clone.perfdb("contribute")
    assert done.returncode == 0 and "remote add origin URL" in done.stderr
    assert "no remote to push it to" in clone.perfdb("contribute", "--push").stderr


def test_the_page_to_open_is_told_where_the_forge_is_known(clone: Clone) -> None:
    clone.measure(1)
    page = "https://github.com/some/results/pull/new/results/laptop/"
    for url in (
        "https://tok:en@github.com/some/results.git",
        "git@github.com:some/results",
        "ssh://git@github.com/some/results.git",
    ):
        clone.git("remote", "set-url", "--push", "origin", url)
        (step,) = [step for step in document(clone.perfdb("contribute", "--json"))["next"] if step.startswith("open ")]
        assert step.startswith(f"open {page}")


def test_a_branch_that_moved_on_there_is_not_overwritten(world: World, clone: Clone) -> None:
    other = world.clone("other")
    clone.measure(1)
    other.measure(2)
    assert other.perfdb("contribute", "--push", "--branch", "results/mine").returncode == 0
    theirs = git(world.remote, "rev-parse", "results/mine")
    done = clone.perfdb("contribute", "--push", "--branch", "results/mine")
    assert done.returncode == 1 and "git fetch origin" in done.stderr
    assert git(world.remote, "rev-parse", "results/mine") == theirs


def test_git_that_distrusts_the_folder_is_told_how_to_trust_it(clone: Clone) -> None:
    if os.geteuid() != 0:
        pytest.skip("giving a folder to somebody else needs root")
    clone.measure(1)
    for path in (clone.path, clone.path / ".git"):
        os.chown(path, 12345, 12345)
    done = clone.perfdb("contribute")
    assert done.returncode == 1 and f"safe.directory {clone.path}," in done.stderr and "Traceback" not in done.stderr


def test_without_git_one_paragraph_says_so(clone: Clone, tmp_path: Path) -> None:
    clone.measure(1)
    done = clone.perfdb("contribute", PATH=str(tmp_path))
    assert done.returncode == 1 and "git cannot be started" in done.stderr and "Traceback" not in done.stderr


def test_two_at_once_make_one_commit_and_both_succeed(clone: Clone) -> None:
    clone.measure(1, 2, 3)
    both = [clone.start("contribute", "--push") for _ in range(2)]
    assert [process.wait(120) for process in both] == [0, 0]
    (branch,) = clone.git("branch", "--list", "--format=%(refname:short)", "results/*").split()
    assert clone.git("rev-list", "--count", f"origin/main..{branch}") == "1"
    clone.git("fsck", "--strict")


def test_a_push_that_loses_the_race_for_the_remotes_branch_finds_its_commit_there(world: World, clone: Clone) -> None:
    clone.measure(1)
    # The first push waits in the remote, having been told that the branch is not there, until the second has been told so.
    hook = world.remote / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        "#!/bin/sh\nmkdir -p met && touch met/$$\n"
        "for _ in $(seq 600); do [ $(ls met | wc -l) -ge 2 ] && exit 0; sleep 0.05; done\nexit 1\n"
    )
    hook.chmod(0o755)
    both = [clone.start("contribute", "--push") for _ in range(2)]
    assert [process.wait(120) for process in both] == [0, 0]
    assert len(list((world.remote / "met").iterdir())) == 2, "the pushes did not meet"


def test_four_at_once_on_one_branch_all_get_through(clone: Clone) -> None:
    records = clone.measure(1, 2, 3, 4)
    running = [clone.start("contribute", r.record_id, "--branch", "results/mine") for r in records]
    assert [process.wait(120) for process in running] == [0] * 4
    on = {path.split("/")[4] for path in clone.files_on("results/mine") if path.endswith("record.json")}
    assert on == {r.record_id for r in records}


@pytest.mark.drill
def test_sigkill_at_random_moments_leaves_git_whole_and_a_repeat_completes(world: World, drill_share: float) -> None:
    chance = random.Random(20261121)
    clone = world.clone("timed")
    clone.measure(*range(10))
    begun = time.monotonic()
    assert clone.perfdb("contribute", "--push").returncode == 0
    length_s = time.monotonic() - begun
    killed = 0
    for number in range(max(4, round(30 * drill_share))):
        clone = world.clone(f"killed-{number}")
        clone.measure(*range(100 * number, 100 * number + 10))
        (clone.path / "README.md").write_text("an edit\n")
        clone.git("add", "README.md")
        before = clone.state_of_everything()
        process = clone.start("contribute", "--push")
        try:
            process.wait(chance.uniform(0.3 * length_s, length_s))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            killed += 1
        clone.git("fsck", "--strict")
        after = clone.state_of_everything()
        remotes = (".git/refs/remotes/origin/results", ".git/logs/refs/remotes/origin/results")
        assert {n: v for n, v in after.items() if not n.startswith(remotes)} == before
        told = document(clone.perfdb("contribute", "--push", "--json"))
        assert told["pushed"] is True and len(told["records"]) == 10
        assert clone.git("rev-list", "--count", f"origin/main..{told['branch']}") == "1"
        assert git(world.remote, "rev-parse", told["branch"]) == told["commit"]
        # What a killed one left goes with the next.
        assert list(clone.state.glob("contribute/*/owner")) == []
    assert killed >= 1


@pytest.mark.drill
def test_a_hundred_contributors_merge_in_any_order(world: World, drill_share: float) -> None:
    """Each branches from the same base and adds ten records and a retraction; maintainers merge as it comes."""
    chance = random.Random(20261121)
    contributors = max(5, round(100 * drill_share))
    start = git(world.remote, "rev-parse", "main")
    everything: set[str] = set()
    clone = world.clone("clone")
    branches = []
    for number in range(contributors):
        # Some share a machine, and with it a file that says what it is.
        machine = f"machine-{number % (contributors // 2 + 1)}"
        records = clone.measure(*range(10 * number, 10 * number + 10), machine=machine)
        save_remark(
            clone.registry,
            Retraction(uuid=new_uuid(), at=STARTED, record_id=records[0].record_id, reason="the clock was wrong"),
        )
        told = document(clone.perfdb("contribute", "--push", "--base", start, "--json"))
        assert told["pushed"] and len(told["records"]) == 10, told
        branches.append(told["branch"])
        everything |= {record.record_id for record in records}
        clone.git("clean", "-ffdxq", "mlruns")
    assert len(set(branches)) == contributors
    chance.shuffle(branches)
    for branch in branches:
        world.merge(branch)
    merged = world.root / "maintainer"
    assert ids(merged / "mlruns") == everything and len(everything) == 10 * contributors
    assert git(merged, "status", "--porcelain") == ""
    checked = Clone(merged, world.root / "state").perfdb("validate", "--json")
    assert document(checked)["ok"] is True


def test_a_shallow_clone_contributes(world: World) -> None:
    full = world.clone("full")
    for number in range(3):
        full.git("commit", "--quiet", "--allow-empty", f"--message={number}")
    full.git("push", "--quiet", "origin", "main")
    shallow = world.clone("shallow", "--depth=1")
    shallow.measure(1)
    told = document(shallow.perfdb("contribute", "--push", "--json"))
    assert told["pushed"] and git(world.remote, "rev-parse", f"{told['branch']}~1") == full.git("rev-parse", "HEAD")
