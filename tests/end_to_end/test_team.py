"""deploy/team/, from its own files: PostgreSQL, MLflow with accounts, and people whose records meet there."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import urllib.error
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.end_to_end.conftest import CHECKOUT, QUICK, THREADS, Home, home_at, wait_for_line
from tests.end_to_end.team import ADMIN, ADMIN_PASSWORD, RECIPE, SIGNING_KEY, Team, team_at
from tests.tracking.records import save

ADA, BOB, DAN, EVE, GUS = "fake-ada", "fake-bob", "fake-dan", "fake-eve", "fake-gus"
PASSWORDS = {
    ADA: "FAKE-first-password-3",
    BOB: "FAKE-second-password-4",
    DAN: "FAKE-password@three/5",
    EVE: "FAKE-fourth-password-6",
    GUS: "FAKE-fifth-password-7",
}
WRONG, NEWER = "FAKE-wrong-password-8", "FAKE-newer-password-9"
SECRETS = (*PASSWORDS, *PASSWORDS.values(), quote(PASSWORDS[DAN], safe=""), WRONG, NEWER, ADMIN_PASSWORD, SIGNING_KEY)


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """The server with two editors and a reader."""
    with team_at(tmp_path_factory.mktemp("team")) as made:
        for name, role in ((ADA, "reader"), (BOB, "editor"), (EVE, "reader")):
            done = made.people("add", name, role, given=f"{PASSWORDS[name]}\n")
            assert done.returncode == 0, done.stderr
        assert made.people("add", ADA, "editor").returncode == 0  # no password: the account is there
        yield made


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A root, and a home folder of its own beside it."""
    (tmp_path / "root").mkdir()
    (tmp_path / "home").mkdir()
    with home_at(tmp_path / "root") as made:
        made.env["HOME"] = str(tmp_path / "home")
        yield made


def sign_in(home: Home, team: Team, name: str, password: str) -> None:
    """As people do it for a session: by variables."""
    home.env |= {
        "MLFLOW_TRACKING_URI": team.url,
        "MLFLOW_TRACKING_USERNAME": name,
        "MLFLOW_TRACKING_PASSWORD": password,
    }


def sync(home: Home, code: int = 0) -> tuple[dict[str, Any], str]:
    """`perfdb sync --json`, which must end with this code: what it says, and all that it printed."""
    done = home.perfdb("sync", "--json")
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout), done.stdout + done.stderr


def assert_no_secret(*places: Path | str) -> None:
    """None is in these texts, or in any file below these folders."""
    for place in places:
        files = [file for file in place.rglob("*") if file.is_file()] if isinstance(place, Path) else []
        held = {str(file): file.read_bytes() for file in files} or {"what was printed": str(place).encode()}
        found = {(where, secret) for where, text in held.items() for secret in SECRETS if secret.encode() in text}
        assert found == set()


def runs_seen_by(team: Team, name: str) -> dict[str, dict[str, Any]]:
    """Record id -> run, as this person's MLflow shows them."""
    found = team.ask(name, PASSWORDS[name], "/api/2.0/mlflow/experiments/search", {"max_results": 100})
    ids = [experiment["experiment_id"] for experiment in found["experiments"]]
    runs = team.ask(name, PASSWORDS[name], "/api/2.0/mlflow/runs/search", {"experiment_ids": ids, "max_results": 100})
    tags = [({tag["key"]: tag["value"] for tag in run["data"].get("tags", ())}, run) for run in runs.get("runs", [])]
    return {tag["perfdb.record_id"]: run for tag, run in tags if "perfdb.record_id" in tag}


@pytest.fixture(scope="module")
def sent(team: Team, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A record of this repository's, which Ada has sent: its folder in her checkout."""
    (real, *_) = sorted((CHECKOUT / "mlruns" / "throughput").glob("*/*/*/record.json"))
    with home_at(tmp_path_factory.mktemp("ada")) as home:
        ours = home.root / real.parent.relative_to(CHECKOUT)
        shutil.copytree(real.parent, ours)
        home.env["HOME"] = str(home.root)
        sign_in(home, team, ADA, PASSWORDS[ADA])
        told, printed = sync(home)
        assert (told["sent"], told["troubles"]) == (1, [])
        assert_no_secret(home.root, printed)
        yield ours


def test_two_people_mirror_through_it_and_each_sees_what_the_other_sent(team: Team, sent: Path, home: Home) -> None:
    new = save(home.root).folder
    shutil.copytree(sent, home.root.joinpath(*sent.parts[-5:]))  # as a `git pull` brings it
    credentials = Path(home.env["HOME"], ".mlflow", "credentials")
    credentials.parent.mkdir()
    signed = f"mlflow_tracking_username = {BOB}\nmlflow_tracking_password = {PASSWORDS[BOB]}\n"
    credentials.write_text(f"[mlflow]\n{signed}")
    home.env["MLFLOW_TRACKING_URI"] = team.url
    told, printed = sync(home)
    assert (told["sent"], told["unchanged"], told["troubles"]) == (1, 1, [])
    assert_no_secret(home.root, printed)
    for name in (ADA, BOB, EVE):
        seen = runs_seen_by(team, name)
        for folder in (sent, new):
            run = seen[folder.name]["info"]
            assert run["artifact_uri"].startswith("mlflow-artifacts:/")
            file = f"/get-artifact?path=record.json&run_uuid={run['run_id']}"
            assert team.ask(name, PASSWORDS[name], file) == (folder / "record.json").read_bytes()


def test_a_password_that_is_no_longer_right_costs_a_run_one_warning_and_the_next_sync_ends_it(
    team: Team, home: Home
) -> None:
    assert team.people("add", DAN, "editor", given=f"{PASSWORDS[DAN]}\n").returncode == 0
    home.env["MLFLOW_TRACKING_URI"] = team.url.replace("://", f"://{DAN}:{quote(PASSWORDS[DAN], safe='')}@")
    process = home.start("run-parsl-perf.py", THREADS, "signed in wrongly", *QUICK, "--no-probe")
    log = home.root / "started.log"
    wait_for_line(process, log, "rep-1: iteration 2")
    process.send_signal(signal.SIGSTOP)  # it sends nothing until the password is another one
    assert team.people("password", DAN, given=f"{NEWER}\n").returncode == 0
    process.send_signal(signal.SIGCONT)
    assert process.wait(120) == 0
    said = " ".join(log.read_text().split())
    assert said.count("warning:") == 1
    assert f"MLflow at {team.url.replace('://', '://***@')} does not know the user and password that" in said
    assert "`perfdb sync`." in said
    (folder,) = home.folders
    (journal,) = home.journals()
    opened = json.loads((journal / "mlflow.json").read_bytes())
    assert opened["uri"] == team.url

    save(home.root)
    sign_in(home, team, DAN, WRONG)
    told, again = sync(home, code=1)
    (paragraph,) = told["troubles"]
    where = "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
    assert f"does not know the user and password that {where} hold. Put the right ones there." in paragraph
    assert home.journals() == [journal]
    assert_no_secret(home.root, again)

    home.env["MLFLOW_TRACKING_PASSWORD"] = NEWER
    told, at_last = sync(home)
    assert (told["sent"], told["troubles"], home.journals()) == (2, [], [])
    run = runs_seen_by(team, BOB)[folder.name]["info"]
    assert (run["run_id"], run["status"]) == (opened["run_id"], "FINISHED")
    assert_no_secret(home.root, at_last)


def test_who_may_only_read_is_told_whom_to_ask_and_loses_nothing(team: Team, home: Home) -> None:
    entry = save(home.root)
    before = entry.folder / "record.json"
    content = before.read_bytes()
    sign_in(home, team, EVE, PASSWORDS[EVE])
    told, printed = sync(home, code=1)
    (paragraph,) = told["troubles"]
    assert (
        "knows this account and does not let it do that. Ask whoever runs the server to make it an editor" in paragraph
    )
    assert (told["sent"], before.read_bytes()) == (0, content)
    assert_no_secret(home.root, printed)


def test_accounts_are_for_administrators_and_end_when_they_are_removed(team: Team) -> None:
    everybody = {ADMIN: "admin", ADA: "editor", BOB: "editor", EVE: "reader"}
    listed = dict(line.split("\t") for line in team.people("list").stdout.splitlines())
    assert everybody.items() <= listed.items()
    account = {"username": GUS, "password": PASSWORDS[GUS]}
    create, mine = "/api/2.0/mlflow/users/create", "/api/2.0/mlflow/users/current"
    with pytest.raises(urllib.error.HTTPError, match="403"):
        team.ask(BOB, PASSWORDS[BOB], create, account)
    short = team.people("add", GUS, "reader", given="short\n")
    assert (short.returncode, "at least 12 characters" in short.stderr) == (1, True)
    assert team.people("add", GUS, "reader", given=f"{PASSWORDS[GUS]}\n").returncode == 0
    assert team.people("password", GUS, given=f"{NEWER}\n").returncode == 0
    assert GUS.encode() in team.ask(GUS, NEWER, mine)
    assert team.people("remove", GUS).returncode == 0
    with pytest.raises(urllib.error.HTTPError, match="401"):
        team.ask(GUS, NEWER, mine)


def test_an_editor_may_delete_a_doubled_run_a_reader_may_not_and_without_a_role_nobody_sees_any(
    team: Team, sent: Path
) -> None:
    run = {"run_id": runs_seen_by(team, EVE)[sent.name]["info"]["run_id"]}
    with pytest.raises(urllib.error.HTTPError, match="403"):
        team.ask(EVE, PASSWORDS[EVE], "/api/2.0/mlflow/runs/delete", run)
    for step in ("delete", "restore"):
        team.ask(BOB, PASSWORDS[BOB], f"/api/2.0/mlflow/runs/{step}", run)
    account = {"username": GUS, "password": PASSWORDS[GUS]}
    team.ask(ADMIN, ADMIN_PASSWORD, "/api/2.0/mlflow/users/create", account)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        team.ask(GUS, PASSWORDS[GUS], f"/api/2.0/mlflow/runs/get?run_id={run['run_id']}")
    assert team.people("remove", GUS).returncode == 0


def test_it_is_backed_up_upgraded_and_restored_and_is_missed_in_one_paragraph(
    team: Team, sent: Path, home: Home, tmp_path: Path
) -> None:
    """The last one: the server ends here, and comes back without the first administrator's password in its settings."""

    def held() -> list[str]:
        counts = [("mlflow", "runs"), ("mlflow", "latest_metrics"), ("mlflow_auth", "users"), ("mlflow_auth", "roles")]
        asked = [
            team.run("psql", "-XAt", "-U", "mlflow", "-d", d, "-c", f"SELECT count(*) FROM {t}") for d, t in counts
        ]
        return [done.stdout for done in asked]

    before = held()
    files = {file.relative_to(team.folder) for file in (team.folder / "artifacts").rglob("*") if file.is_file()}
    assert files
    backups = str(tmp_path / "backups")
    made = team.script("backup.sh", backups)
    assert made.returncode == 0, made.stderr
    everything = team.run("pg_dump", "-U", "mlflow", "mlflow").stdout
    assert "perfdb.record_id" in everything
    assert_no_secret(everything, team.log.read_text(), team.folder / "artifacts")

    team.stop()
    save(home.root)
    sign_in(home, team, ADA, PASSWORDS[ADA])
    told, printed = sync(home, code=1)
    (paragraph,) = told["troubles"]
    assert f"MLflow at {team.url} cannot be reached" in paragraph
    assert_no_secret(home.root, printed)

    upgraded = team.script("upgrade.sh")
    assert upgraded.returncode == 0, upgraded.stderr
    refused = team.script("restore.sh", made.stdout.strip())
    assert (refused.returncode, "drop it" in refused.stderr) == (1, True)
    for statement in ("DROP DATABASE mlflow", "DROP DATABASE mlflow_auth", "DROP ROLE mlflow"):
        assert team.run("psql", "-Xq", "-U", "postgres", "-c", statement).returncode == 0
    assert team.make_databases().returncode == 0
    shutil.move(team.folder / "artifacts", tmp_path / "artifacts")
    restored = team.script("restore.sh", made.stdout.strip())
    assert restored.returncode == 0, restored.stderr
    assert held() == before
    assert {file.relative_to(team.folder) for file in (team.folder / "artifacts").rglob("*") if file.is_file()} == files

    kept = [line for line in team.settings.read_text().splitlines(True) if "ADMIN_PASSWORD" not in line]
    team.settings.write_text("".join(kept))
    team.start()
    told, _ = sync(home)
    assert told["sent"] == 1


def test_a_server_with_secrets_left_to_fill_in_or_to_be_read_does_not_start(tmp_path: Path) -> None:
    settings = tmp_path / "team.env"
    shutil.copy(RECIPE / "team.env.example", settings)
    settings.chmod(0o600)
    for text, mode, said in (("", 0o600, "'change-me'"), ("FAKE-filled-in", 0o640, "chmod 600")):
        settings.write_text(settings.read_text().replace("change-me", text or "change-me"))
        settings.chmod(mode)
        done = subprocess.run([RECIPE / "serve.sh", settings], capture_output=True, text=True, check=False)
        assert (done.returncode, said in done.stderr) == (2, True)


def test_shellcheck_finds_nothing() -> None:
    scripts = sorted(map(str, RECIPE.glob("*.sh")))
    done = subprocess.run(["shellcheck", "-x", *scripts], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("", 0)
