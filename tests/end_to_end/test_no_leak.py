"""A config sown with thirty secrets is run for real: none of them reaches the record, MLflow or the terminal."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from perfdb.redaction import Redactor
from tests.end_to_end.conftest import QUICK, Home, home_at

# Each stands where people put such things; {0} is the secret itself. All of them are made up.
SOWN = [
    ("FAKE-export-0001", "worker_init", "export API_TOKEN={0}"),
    ("FAKE-export-0002", "worker_init", "export DB_PASSWORD='{0}'"),
    ("FAKE-export-0003", "worker_init", 'AWS_SECRET_ACCESS_KEY="{0}"; export AWS_SECRET_ACCESS_KEY'),
    (
        "ghp_FAKEfakeFAKEfakeFAKEfakeFAKEfake0004",
        "worker_init",
        "git clone https://{0}@git.invalid/a/b.git 2>/dev/null || true",
    ),
    ("FAKE-header-0005", "worker_init", "true curl -H 'Authorization: Bearer {0}'"),
    ("FAKE-flag-0006", "worker_init", "true fetch --api-key {0} --quiet"),
    ("FAKE-url-0007", "worker_init", "export STORE=postgresql://keeper:{0}@db.invalid:5432/perf"),
    ("/home/fakeperson", "worker_init", "true cd /home/fakeperson/project"),
    ("10.98.76.54", "worker_init", "true ping 10.98.76.54"),
    ("fakeperson@fakehost.invalid", "worker_init", "true scp fakeperson@fakehost.invalid:data ."),
    ("FAKE-comment-0011", "worker_init", "# token: {0}"),
    ("FAKE-print-0012", "top", "SERVICE_TOKEN = '{0}'\nprint('using', SERVICE_TOKEN)"),
    (
        "FAKE-print-0013",
        "top",
        "import sys\nUPLOAD_SECRET = '{0}'\nprint('uploading with ' + UPLOAD_SECRET, file=sys.stderr)",
    ),
    ("FAKE-default-0014", "top", "KEY = os.environ.get('NO_SUCH_API_KEY', '{0}')"),
    ("FAKE-environ-0015", "top", "os.environ['SITE_PASSWORD'] = '{0}'"),
    ("FAKE-environ-0016", "top", "os.environ['MY_CREDENTIALS'] = '{0}'\nprint(os.environ['MY_CREDENTIALS'])"),
    ("FAKE-dict-0017", "top", "SETTINGS = {{'password': '{0}', 'mode': 'fast'}}\nprint(SETTINGS)"),
    ("FAKE-remark-0018", "top", "# password: {0}"),
    ("FAKE-fstring-0019", "top", "ACCESS_TOKEN = f'{0}-{{1 + 1}}'\nprint(ACCESS_TOKEN)"),
    ("FAKEjoin0020", "top", "JOINED_TOKEN = 'FAKEjoi' + 'n0020'\nprint(JOINED_TOKEN)"),
    ("AKIAFAKEFAKEFAKE0021", "top", "print('{0}')"),
    ("FAKE-kwarg-0022", "top", "connect = dict(user='u', auth_token='{0}')"),
    ("/gpfs/fake/keys/id_0023", "top", "key_file = '{0}'"),
    ("192.0.2.77", "top", "print('head node is 192.0.2.77')"),
    ("2001:db8:fa4e::25", "top", "print('or 2001:db8:fa4e::25')"),
    (
        "MIIFAKE0026keybodykeybodykeybodykeybodykeybodykeybodykeybodykeybody",
        "top",
        "PRIVATE_KEY = '''-----BEGIN RSA PRIVATE KEY-----\n{0}\n-----END RSA PRIVATE KEY-----'''\nprint(PRIVATE_KEY)",
    ),
    ("FAKE-cookie-0027", "top", "SESSION_COOKIE = '{0}'"),
    ("fake.person@mail.invalid", "top", "print('mail fake.person@mail.invalid')"),
    ("FAKE-launcher-0029", "launcher", "export LAUNCH_SECRET={0};"),
    ("FAKE-label-0030", "top", "STAGE_PASSWD = '{0}'\nprint('passwd=' + STAGE_PASSWD)"),
]

CLEAN = """\
# A set-up for the nightly comparison, two workers, one block.
workers = 2
walltime = "00:10:00"
partition = "hopper-cpu"
ratio = 0.75
"""


def config() -> str:
    """A config that really runs, with everything sown into it."""
    lines = {place: [how.format(secret) for secret, at, how in SOWN if at == place] for place in ("worker_init", "top")}
    (prepend,) = (how.format(secret) for secret, at, how in SOWN if at == "launcher")
    top = "\n".join(lines["top"])
    worker_init = "\n".join(lines["worker_init"])
    return (
        "import os\nfrom parsl.config import Config\nfrom parsl.executors import HighThroughputExecutor\n"
        "from parsl.launchers import WrappedLauncher\nfrom parsl.providers import LocalProvider\n"
        f'{CLEAN}{top}\nWORKER_INIT = r"""\n{worker_init}\n"""\n'
        "config = Config(executors=[HighThroughputExecutor(label='htex', address='127.0.0.1', max_workers_per_node=2,\n"
        "    provider=LocalProvider(init_blocks=1, min_blocks=1, max_blocks=1, worker_init=WORKER_INIT,\n"
        f"        launcher=WrappedLauncher(prepend='{prepend}')))])\n"
    )


def everything(home: Home) -> dict[str, str]:
    """Every file that a run leaves, but for the config itself, the server's log and what users were shown apart."""
    skipped = home.root / "sown.py"
    return {
        str(path.relative_to(home.root)): path.read_bytes().decode(errors="replace")
        for path in home.root.rglob("*")
        if path.is_file() and path != skipped
    }


@pytest.fixture(scope="module")
def sown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, str]]:
    """A run of that config, and what it showed. The machine is not named, so it goes by what perfdb makes of the host."""
    with home_at(tmp_path_factory.mktemp("sown")) as home:
        (home.root / "sown.py").write_text(config())
        done = home.perf("sown.py", *QUICK)
        assert done.returncode == 0, done.stdout + done.stderr
        yield home, done.stdout + done.stderr


def test_none_of_thirty_secrets_is_in_record_mlflow_or_terminal(sown: tuple[Home, str]) -> None:
    home, said = sown
    assert len(SOWN) == len({secret for secret, _, _ in SOWN}) == 30
    places = {**everything(home), "the terminal": said}
    assert any(name.endswith("mlflow.db") for name in places)
    shown = home.perfdb("show", home.folders[0].name).stdout
    for secret, _, _ in SOWN:
        assert secret in config() or secret == "FAKEjoin0020"
        assert [name for name, text in places.items() if secret in text] == [], secret
        assert secret not in shown


def test_at_least_95_percent_of_the_clean_lines_are_unchanged(sown: tuple[Home, str]) -> None:
    home, _ = sown
    kept = (home.folders[0] / "artifacts" / "config.py").read_text().splitlines()
    clean = [line for line in config().splitlines() if line.strip() and not any(s in line for s, _, _ in SOWN)]
    clean = [line for line in clean if "FAKEjoi" not in line and "PRIVATE KEY" not in line]  # parts of secrets
    unchanged = sum(line in kept for line in clean)
    assert len(kept) == len(config().splitlines())
    print(f"{unchanged} of {len(clean)} clean lines are unchanged")
    assert unchanged / len(clean) >= 0.95


def test_user_home_and_host_of_this_machine_are_in_no_record(sown: tuple[Home, str]) -> None:
    home, _ = sown
    looked_at = 0
    for path in (home.root / "mlruns").rglob("*"):
        if path.suffix in (".json", ".log", ".py"):
            looked_at += 1
            text = path.read_text()
            assert socket.gethostname() not in text
            assert f"{Path.home()}/" not in text
            assert f"/home/{getpass.getuser()}" not in text
            assert Redactor().text(text) == text or path.suffix == ".json"
    assert looked_at >= 4


def test_a_failing_config_shows_none_of_them_either(home: Home) -> None:
    (home.root / "sown.py").write_text(
        config() + "raise RuntimeError('cannot reach ' + SERVICE_TOKEN + ' at ' + KEY)\n"
    )
    done = home.perf("sown.py")
    assert done.returncode == 1
    assert "cannot reach" in done.stderr
    for secret, _, _ in SOWN:
        assert secret not in done.stdout + done.stderr


def test_a_workers_words_in_a_failed_run_are_masked_too(home: Home) -> None:
    text = config().replace("config = Config(", "config = dict(", 1)
    (home.root / "sown.py").write_text(
        text + "config = Config(executors=config['executors'], retries=0)\n"
        "import sys\nif os.environ.get('PERFDB_RUN_DIR'):\n"
        "    sys.exit('no quota for ' + ACCESS_TOKEN + ' of ' + SESSION_COOKIE + ' on 192.0.2.77')\n"
    )
    done = home.perf("sown.py", "--reps", "1", "--no-server")
    assert done.returncode == 3, done.stdout + done.stderr
    (record,) = home.records()
    assert "no quota for" in record["reason"]
    places = {**everything(home), "the terminal": done.stdout + done.stderr}
    # Parsl's own logs of a failed run are kept for its user, on this machine alone.
    places = {name: content for name, content in places.items() if not name.startswith(".perfdb/work/")}
    for secret, _, _ in SOWN:
        assert [name for name, content in places.items() if secret in content] == [], secret
