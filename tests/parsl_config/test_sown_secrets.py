"""A config sown with secrets of every kind: none of them comes out anywhere, and clean lines stay as they are."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import rfc8785

from perfdb.errors import ConfigError
from perfdb.parsl_config import ConfigDescription, describe
from perfdb.redaction import Identity, Redactor

IDENTITY = Identity(
    users=("ffake",), homes=("/gpfs/fakehome/ffake",), hosts=("fakelogin7.cluster.invalid",), addresses=("10.99.88.77",)
)


@dataclass(frozen=True)
class Sown:
    """One secret and the lines that plant it. Parts that must vanish as well stand in `parts`."""

    secret: str
    lines: str
    place: str
    parts: tuple[str, ...] = ()


SOWN = (
    Sown("FAKE-w0rker-init-export", "export GITHUB_TOKEN=FAKE-w0rker-init-export", "slurm_init"),
    Sown("FAKE quoted passw0rd", "export DB_PASSWORD='FAKE quoted passw0rd'", "slurm_init"),
    Sown("fakebearer0123456789", "curl -H 'Authorization: Bearer fakebearer0123456789' localhost", "slurm_init"),
    Sown("FAKE-flag-key", "fetch --api-key FAKE-flag-key --verbose", "slurm_init"),
    Sown("/home/fakeperson", "cd /home/fakeperson/project", "slurm_init"),
    Sown("10.11.12.13", "ping -c 1 10.11.12.13", "slurm_init"),
    Sown("fakeuser@fakehost.invalid", "scp fakeuser@fakehost.invalid:data .", "slurm_init", ("fakeuser", "fakehost")),
    Sown("fd00:fa4e::77", "ping6 fd00:fa4e::77", "slurm_init"),
    Sown("FAKE-comment-token-1", "#SBATCH --comment=token:FAKE-comment-token-1", "slurm_options"),
    Sown("fakeproj-a77", "#SBATCH -A fakeproj-a77", "slurm_options"),
    Sown("fake.person@mail.invalid", "#SBATCH --mail-user=fake.person@mail.invalid", "slurm_options"),
    Sown("fakeacct-99", 'account="fakeacct-99",', "slurm"),
    Sown("FAKEdbP4ss", 'logging_endpoint="postgresql://fakedbuser:FAKEdbP4ss@db9.invalid/monitoring",', "monitoring",
         ("fakedbuser", "db9.invalid")),
    Sown("FAKE-condor-value-1", '"SITE_KEYRING": "FAKE-condor-value-1",', "condor_env"),
    Sown("plainfakeword", '"MODE": "plainfakeword",', "condor_env"),
    Sown("k3y", '"PIN_CODE": "k3y",', "condor_env"),
    Sown("fakeproject-7", 'project="fakeproject-7",', "condor"),
    Sown("MIIFAKEkeybody0123456789ABCDEFabcdefghijklmnopqrstuvwxyz0123456789", """\
-----BEGIN RSA PRIVATE KEY-----
MIIFAKEkeybody0123456789ABCDEFabcdefghijklmnopqrstuvwxyz0123456789
c2hvcnRmYWtl
-----END RSA PRIVATE KEY-----""", "pem", ("c2hvcnRmYWtl",)),
    Sown("FAKE-prepend-secret", 'launcher=WrappedLauncher(prepend="docker run -e API_SECRET=FAKE-prepend-secret"),',
         "local"),
    Sown("fakepart-east-4711", 'BUILT = f"fakepart-{REGION}-{4711}"', "top", ("fakepart",)),
    Sown("FAKEjoinedsecret", 'JOINED = "FAKEjoi" + "nedsecret"', "top", ("FAKEjoi", "nedsecret")),
    Sown("FAKE-remark-token", "# token: FAKE-remark-token", "top"),
    Sown("FAKE-default-1", 'SERVICE_TOKEN = os.environ.get("NO_SUCH_SERVICE_TOKEN", "FAKE-default-1")', "top"),
    Sown("FAKE-environ-2", 'os.environ["UPLOAD_SECRET"] = "FAKE-environ-2"', "top"),
    Sown("FAKE-in-a-call", 'CLIENT = dict(password="FAKE-in-a-call")', "top"),
    Sown("AKIAFAKEFAKEFAKEFAKE", 'CLOUD = "AKIAFAKEFAKEFAKEFAKE"', "top"),
    Sown("/gpfs/fakehome/ffake", 'working_dir="/gpfs/fakehome/ffake/work",', "htex", ("ffake",)),
    Sown("fakelogin7.cluster.invalid", 'address="fakelogin7.cluster.invalid",', "htex", ("fakelogin7",)),
    Sown("fakekeys/fake_rsa", 'KEY_FILE = "/opt/fakekeys/fake_rsa"', "top"),
    Sown("FAKE-multi-line-2", 'API_CREDENTIALS = """\nfirst FAKE-multi-line-1\nsecond FAKE-multi-line-2\n"""', "top",
         ("FAKE-multi-line-1",)),
)  # fmt: skip

CONFIG = '''\
"""A set-up of several executors."""
import os

from parsl.config import Config
from parsl.executors import HighThroughputExecutor, ThreadPoolExecutor
from parsl.launchers import SrunLauncher, WrappedLauncher
from parsl.monitoring import MonitoringHub
from parsl.providers import CondorProvider, LocalProvider, SlurmProvider

# How many nodes a job asks for, and where.
NODES = int(os.environ.get("FAKE_NODES", "4"))
REGION = "east"
{top}
CERTIFIED = """
{pem}
"""

WORKER_INIT = """
module load python/3.11.4
{slurm_init}
export BUILT_TOKEN={{built}}
export JOINED_TOKEN={{joined}}
source activate parsl
""".format(built=BUILT, joined=JOINED)

slurm = SlurmProvider(
    partition="hopper-cpu",
    nodes_per_block=NODES,
    cores_per_node=64,
    init_blocks=0,
    min_blocks=0,
    max_blocks=2,
    parallelism=0.5,
    walltime="01:30:00",
    {slurm}
    scheduler_options="""
#SBATCH --exclusive
{slurm_options}
""",
    worker_init=WORKER_INIT,
    launcher=SrunLauncher(overrides="--cpu-bind=cores"),
)

condor = CondorProvider(
    nodes_per_block=1,
    {condor}
    environment={{
        {condor_env}
    }},
    requirements="Memory > 4",
)

config = Config(
    executors=[
        HighThroughputExecutor(
            label="slurm",
            {htex}
            max_workers_per_node=64,
            cores_per_worker=1.0,
            heartbeat_period=15,
            prefetch_capacity=2,
            provider=slurm,
        ),
        HighThroughputExecutor(label="condor", address="127.0.0.1", provider=condor),
        HighThroughputExecutor(
            label="local",
            provider=LocalProvider(
                worker_init="export KEYS='" + CERTIFIED + "'",
                {local}
            ),
        ),
        ThreadPoolExecutor(label="threads", max_threads=3),
    ],
    {monitoring}
    strategy="htex_auto_scale",
    retries=2,
    max_idletime=60.0,
)
'''


def sown_config() -> str:
    """CONFIG with every secret planted in its place."""
    filled = {}
    for place in {sown.place for sown in SOWN}:
        filled[place] = "\n".join(sown.lines for sown in SOWN if sown.place == place)
    filled["monitoring"] = f"monitoring=MonitoringHub(\n        {filled['monitoring']}\n    ),"
    return CONFIG.format(**filled)


def all_secrets() -> list[str]:
    return [secret for sown in SOWN for secret in (sown.secret, *sown.parts)]


@pytest.fixture(scope="module")
def described(tmp_path_factory) -> ConfigDescription:
    path = tmp_path_factory.mktemp("sown") / "slurm_sown.py"
    path.write_text(sown_config())
    return describe(path, python=Path(sys.executable), timeout_s=60, identity=IDENTITY)


def leaks(text: str) -> list[str]:
    return [secret for secret in all_secrets() if secret in text]


def test_thirty_different_secrets_are_sown():
    assert len({sown.secret for sown in SOWN}) == 30
    assert leaks(sown_config()) == [
        secret for secret in all_secrets() if secret not in ("fakepart-east-4711", "FAKEjoinedsecret")
    ]


def test_no_secret_is_in_the_params(described):
    assert leaks(json.dumps(described.params)) == []
    assert leaks(rfc8785.dumps(described.params).decode()) == []


def test_no_secret_is_in_the_source(described):
    assert leaks(described.source) == []


def test_no_secret_is_in_what_is_printed_or_dumped(described):
    for text in (repr(described), str(described), described.model_dump_json(), repr(described.model_dump())):
        assert leaks(text) == []


def test_clean_lines_of_the_source_are_unchanged(described):
    """95 % is what must hold; the share is printed."""
    before, after = sown_config().split("\n"), described.source.split("\n")
    assert len(before) == len(after)
    planted = {line.strip() for sown in SOWN for line in sown.lines.split("\n")}
    clean = [(b, a) for b, a in zip(before, after, strict=True) if b.strip() not in planted and not leaks(b)]
    kept = [b for b, a in clean if b == a]
    changed = "\n".join(f"- {b}\n+ {a}" for b, a in clean if b != a)
    print(f"{len(kept)} of {len(clean)} clean lines unchanged: {len(kept) / len(clean):.1%}\n{changed}")
    assert len(kept) / len(clean) >= 0.95


def test_what_is_useful_and_clean_stays(described):
    init = str(described.params["provider.0.worker_init"])
    assert "module load python/3.11.4\nexport GITHUB_TOKEN=<redacted>\nexport DB_PASSWORD='<redacted>'\n" in init
    assert init.rstrip().endswith("source activate parsl")
    assert described.params["provider.0.partition"] == "hopper-cpu"
    assert described.params["provider.0.nodes_per_block"] == 4
    assert described.params["provider.1.environment.MODE"] == "<redacted>"
    assert described.params["executor.1.address"] == "127.0.0.1"
    assert described.params["executor.0.address"] == "<address>"


def test_the_secrets_mask_what_later_children_print(described):
    redactor = Redactor(described.secrets, IDENTITY)
    for printed in ("FAKE-w0rker-init-export", "fakeacct-99", "FAKEdbP4ss", "fakepart-east-4711", "FAKEjoinedsecret"):
        assert redactor.text(f"got {printed}.") == "got <redacted>."


def test_no_secret_is_in_the_error_of_a_config_that_fails(tmp_path):
    path = tmp_path / "slurm_sown.py"
    path.write_text(
        sown_config() + "\nraise RuntimeError(WORKER_INIT + BUILT + JOINED + CLIENT['password'] + API_CREDENTIALS)\n"
    )
    with pytest.raises(ConfigError) as caught:
        describe(path, python=Path(sys.executable), timeout_s=60, identity=IDENTITY)
    assert "RuntimeError: module load python/3.11.4" in str(caught.value)
    assert leaks(str(caught.value)) == []
