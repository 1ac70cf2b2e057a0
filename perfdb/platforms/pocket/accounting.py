"""Slurm's accounting: a slurmdbd on a MariaDB of its own, in the cluster's folder.

Slurm's other ways to note jobs down allow a running job one resize only, and forget its former sizes.
The database listens on a socket in the cluster's folder and nowhere else, and knows one user: whoever started it.
`sacct` lists a job some 5 s after its start, for slurmctld tells slurmdbd of several at once; of a job that is resized
before that, the first size is lost.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from pathlib import Path

from perfdb.errors import ClusterError
from perfdb.platforms.pocket import daemons
from perfdb.platforms.pocket.commands import ask
from perfdb.platforms.pocket.places import Places, Ports
from perfdb.platforms.pocket.programs import find, how_to_install

ACCOUNT = "default"
_PACKAGES = {
    "slurmdbd": "slurmdbd",
    "sacctmgr": "slurm-wlm",
    "sacct": "slurm-wlm",
    "mariadbd": "mariadb-server",
    "mariadb-install-db": "mariadb-server",
    "mariadb-admin": "mariadb-server",
}
# What it holds lasts as long as the cluster: it may be small, and need not be on the disk before it answers.
_SMALL = (
    "--innodb-buffer-pool-size=16M",
    "--innodb-log-file-size=4M",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-flush-method=nosync",
    "--innodb-fast-shutdown=2",
    "--aria-pagecache-buffer-size=1M",
    "--key-buffer-size=1M",
    "--performance-schema=OFF",
)
_INSTALL_TIMEOUT_S = 60.0


def check() -> None:
    """Whether all that accounting needs is installed.

    Raises:
        ClusterError: something is missing; says what to type.
    """
    missing = [program for program in _PACKAGES if find(program) is None]
    if missing:
        # The plugin comes with slurmdbd on Debian, and by its own name where somebody left recommended packages out.
        packages = dict.fromkeys([*(_PACKAGES[program] for program in missing), "slurm-wlm-mysql-plugin"])
        raise ClusterError(how_to_install(missing, list(packages)))


def conf_lines(places: Places, ports: Ports) -> list[str]:
    """Lines of slurm.conf."""
    return [
        "AccountingStorageType=accounting_storage/slurmdbd",
        "AccountingStorageHost=127.0.0.1",
        f"AccountingStoragePort={ports.slurmdbd}",
        # For slurmdbd Slurm takes munged's socket from here, and not from AuthInfo.
        f"AccountingStoragePass={places.munge_socket}",
        # As most sites have it: a job of an account that is none is refused.
        "AccountingStorageEnforce=associations",
    ]


def start(places: Places, ports: Ports, *, closed: bool) -> None:
    """Start both, and tell them of the cluster, its one account and its one user. munged answers by now.

    Args:
        places: The cluster's.
        ports: Likewise.
        closed: As for slurm.conf.

    Raises:
        ClusterError: something is missing or does not start.
    """
    check()
    user = pwd.getpwuid(os.getuid()).pw_name
    _make_database(places, user)
    _start_database(places)
    _start_slurmdbd(places, ports, user, closed=closed)
    _register(places, user)


def _folder(places: Places) -> Path:
    return places.folder / "db"


def _socket(places: Places) -> Path:
    return _folder(places) / "socket"


def _common(places: Places) -> list[str]:
    """Options of the database itself, also while it is made."""
    root = ["--user=root"] if os.getuid() == 0 else []  # it refuses to run as root unless told to
    # Databases that are made at once take each other's temporary tables away where those share a folder.
    return ["--no-defaults", *root, f"--datadir={_folder(places)}/data", f"--tmpdir={_folder(places)}", *_SMALL]


def _make_database(places: Places, user: str) -> None:
    _folder(places).mkdir(mode=0o700, exist_ok=True)
    argv = [
        find("mariadb-install-db") or "",
        *_common(places),
        # As a package's own installation, for else it changes the owner of a plugin's folder below /usr.
        "--rpm",
        "--skip-name-resolve",
        "--skip-test-db",
        "--auth-root-authentication-method=socket",
        f"--auth-root-socket-user={user}",
    ]
    output = places.output("mariadb-install-db")
    try:
        with output.open("ab") as file:
            code = subprocess.run(
                argv,
                env=places.environment(),
                cwd=places.folder,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                timeout=_INSTALL_TIMEOUT_S,
                check=False,
            ).returncode
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ClusterError(f"the database for Slurm's accounting could not be made: {error}. {_else()}") from error
    if code != 0:
        # Its last words are where to ask for help; what went wrong stands before them.
        lines = daemons.last_lines(output, 100)
        said = " | ".join([line for line in lines if "ERROR" in line][-3:] or lines[:4]) or "nothing"
        raise ClusterError(
            f"the database for Slurm's accounting could not be made: mariadb-install-db ended with code {code}. It said: "
            f"{said}. {_else()}"
        )


def _start_database(places: Places) -> None:
    socket = _socket(places)
    argv = [
        find("mariadbd") or "",
        *_common(places),
        "--skip-networking",
        f"--socket={socket}",
        f"--pid-file={_folder(places)}/pid",
    ]
    daemons.start(places, "mariadbd", argv).wait_until(
        lambda: ask(places, "mariadb-admin", "--no-defaults", f"--socket={socket}", "ping") is not None
    )


def _start_slurmdbd(places: Places, ports: Ports, user: str, *, closed: bool) -> None:
    _write_conf(places, ports, user, closed=closed)
    socket = _socket(places)
    # slurmdbd.conf has no word for the database's socket: its client library takes it from the environment.
    argv = ["env", f"MYSQL_UNIX_PORT={socket}", f"MARIADB_UNIX_PORT={socket}", find("slurmdbd") or "", "-D"]
    daemons.start(places, "slurmdbd", argv).wait_until(
        lambda: ask(places, "sacctmgr", "--noheader", "list", "cluster") is not None
    )


def _write_conf(places: Places, ports: Ports, user: str, *, closed: bool) -> None:
    lines = [
        "AuthType=auth/munge",
        f"AuthInfo=socket={places.munge_socket}",
        "DbdHost=localhost",
        f"DbdPort={ports.slurmdbd}",
        *(["CommunicationParameters=NoInAddrAny"] if closed else []),
        f"SlurmUser={user}",
        f"LogFile={places.log('slurmdbd')}",
        "LogTimeFormat=rfc5424_ms",
        f"PidFile={_folder(places)}/slurmdbd.pid",
        "StorageType=accounting_storage/mysql",
        "StorageHost=localhost",
        f"StorageUser={user}",
        "StorageLoc=slurm",
        "",
    ]
    conf = places.folder / "slurmdbd.conf"  # slurmdbd looks for it beside slurm.conf
    conf.touch(mode=0o600)
    conf.write_text("\n".join(lines))


def _register(places: Places, user: str) -> None:
    for what in (
        ("cluster", places.cluster_name),
        ("account", ACCOUNT, "Description=pocket", "Organization=pocket"),
        ("user", user, f"Account={ACCOUNT}", f"DefaultAccount={ACCOUNT}"),
    ):
        # It fails on what is there already; the list says in the end whether all is.
        ask(places, "sacctmgr", "--immediate", "add", *what)
    listed = ask(places, "sacctmgr", "--noheader", "--parsable2", "list", "associations", "format=cluster,account,user")
    if f"{places.cluster_name}|{ACCOUNT}|{user}" not in (listed or "").split():
        said = " | ".join(daemons.last_lines(places.log("slurmdbd"), 4)) or "nothing"
        raise ClusterError(f"slurmdbd does not take the cluster's account and user. It said last: {said}. {_else()}")


def _else() -> str:
    return "Mend that, or start the cluster without --accounting."
