"""Where a pocket cluster lives.

    /tmp/perfdb-<uid>-<name>.lock/      held by whoever starts or ends it
    /tmp/perfdb-<uid>-<name>/           0700: the cluster, and nothing of it anywhere else
        cluster.json                    what was asked for, and the ports
        slurm.conf  cgroup.conf
        munge/                          key, socket
        log/                            one a daemon, and power.jsonl
        power/                          what slurmctld runs for cloud nodes
        spool/<node>/  state/           Slurm's own
        nodes/<node>.broken             put there by you: the node will not boot

The folder is short, since a socket's path is limited to 108 bytes, and the same from every shell: TMPDIR is not asked,
for then `down` might look elsewhere than `up`. Anyone may plant something there, so one that is not ours is refused.
"""

from __future__ import annotations

import os
import re
import shlex
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, ValidationError

from perfdb.errors import ClusterError
from perfdb.platforms.pocket.options import Options
from perfdb.record.model import Frozen

NAME = re.compile(r"[a-z][a-z0-9_]{0,23}")
ROOT = Path("/tmp")  # noqa: S108 (what stands there is checked to be ours)
# Every daemon carries this in its environment, with the cluster's folder.
MARKER = "PERFDB_CLUSTER"
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

Port = Annotated[int, Field(ge=1024, le=65535)]


class Ports(Frozen):
    """Where the daemons listen. `slurmd` is the first node's; the others follow it."""

    slurmctld: Port
    slurmdbd: Port
    slurmd: Port


class Description(Frozen):
    """cluster.json: all that `down`, `status` and a node's boot must know."""

    options: Options
    ports: Ports
    slurmd_program: Annotated[str, Field(max_length=4096)]


@dataclass(frozen=True)
class Places:
    """The files of one cluster."""

    folder: Path

    @classmethod
    def of(cls, name: str) -> Self:
        """The cluster of that name of this user.

        Raises:
            ClusterError: the name is none, or its folder or its lock is somebody else's.
        """
        if not NAME.fullmatch(name):
            raise ClusterError(
                f"{name!r} is no name for a cluster: it takes a lower-case letter, then letters, digits and _, 24 at most. "
                "Give another with --name."
            )
        places = cls(_prefixed(name))
        if os.path.lexists(places.folder) and not places.is_ours():
            raise ClusterError(
                f"{places.folder} is not a folder that only you can reach, as a cluster's secrets need it. Look whose it is "
                f"with `ls -ld {places.folder}`; remove it if it is yours, else take another name with --name."
            )
        for lock in (places.lock, places.lock.with_name(f"{places.lock.name}.breaking")):
            if not _may_be_our_lock(lock):
                raise ClusterError(
                    f"{lock} lies where the lock of the cluster {name!r} belongs, and is no folder of yours. Look whose it is "
                    f"with `ls -ld {lock}`; remove it if it is yours, else take another name with --name."
                )
        return places

    @classmethod
    def of_conf(cls, conf: Path) -> Self | None:
        """The cluster whose slurm.conf that is, or None where it is no pocket cluster's of ours."""
        places = cls(conf.parent)
        return places if conf.name == places.conf.name and places.is_ours() and places.description() else None

    @classmethod
    def all(cls) -> list[Self]:
        """Every cluster of this user."""
        found = (cls(folder) for folder in ROOT.glob(_prefixed("*").name))
        return [places for places in found if NAME.fullmatch(places.name) and places.is_ours()]

    def is_ours(self) -> bool:
        """Whether the folder is there, a folder, ours, and closed to all others."""
        try:
            found = self.folder.lstat()
        except OSError:
            return False
        return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077

    @property
    def name(self) -> str:
        """As given with --name."""
        return self.folder.name.rpartition("-")[2]

    @property
    def cluster_name(self) -> str:
        """What Slurm calls it; jobs carry it in their environment, so it tells whose it is."""
        return f"perfdb_{os.getuid()}_{self.name}"

    @property
    def lock(self) -> Path:
        """Held by whoever starts or ends the cluster."""
        return self.folder.with_suffix(".lock")

    @property
    def description_file(self) -> Path:
        """cluster.json."""
        return self.folder / "cluster.json"

    @property
    def conf(self) -> Path:
        """slurm.conf."""
        return self.folder / "slurm.conf"

    @property
    def cgroup_conf(self) -> Path:
        """cgroup.conf, which Slurm looks for beside slurm.conf."""
        return self.folder / "cgroup.conf"

    @property
    def munge(self) -> Path:
        """Folder of munged's own files."""
        return self.folder / "munge"

    @property
    def munge_key(self) -> Path:
        """The secret that makes the daemons and the commands trust one another."""
        return self.munge / "key"

    @property
    def munge_socket(self) -> Path:
        """Where munged answers."""
        return self.munge / "socket"

    @property
    def logs(self) -> Path:
        """Folder of all logs."""
        return self.folder / "log"

    def log(self, daemon: str) -> Path:
        """The log of one daemon: `slurmctld`, `munged`, `slurmd-n0`."""
        return self.logs / f"{daemon}.log"

    def output(self, daemon: str) -> Path:
        """What a daemon wrote elsewhere than to its log: why it could not start."""
        return self.logs / f"{daemon}.out"

    @property
    def slurmctld_log(self) -> Path:
        """With milliseconds, see `conf`."""
        return self.log("slurmctld")

    @property
    def power_events(self) -> Path:
        """What became of the cloud nodes, see `power`."""
        return self.logs / "power.jsonl"

    @property
    def power(self) -> Path:
        """Folder of the programs that power nodes up and down."""
        return self.folder / "power"

    @property
    def nodes(self) -> Path:
        """Folder for drills: a node with a file `<node>.broken` here never boots."""
        return self.folder / "nodes"

    @property
    def spool(self) -> Path:
        """Folder of the nodes' own files."""
        return self.folder / "spool"

    @property
    def state(self) -> Path:
        """slurmctld's memory."""
        return self.folder / "state"

    @property
    def folders(self) -> tuple[Path, ...]:
        """Those that must be there before the daemons are."""
        return (self.munge, self.logs, self.power, self.nodes, self.spool, self.state)

    def description(self) -> Description | None:
        """cluster.json, or None where there is none or none that can be read."""
        try:
            return Description.model_validate_json(self.description_file.read_bytes())
        except (OSError, ValidationError):
            return None

    def environment(self) -> dict[str, str]:
        """What each daemon and each command gets, whatever the user's own environment says of another Slurm."""
        kept = {key: os.environ[key] for key in ("TZ", "HOME") if key in os.environ}
        return kept | {"SLURM_CONF": str(self.conf), MARKER: str(self.folder), "PATH": _SYSTEM_PATH, "LC_ALL": "C"}

    def exports(self) -> Mapping[str, str]:
        """What a user's shell needs so that Slurm's commands speak to this cluster."""
        return {"SLURM_CONF": str(self.conf)}

    def shell_lines(self) -> str:
        """The exports, for `eval`."""
        return "\n".join(f"export {key}={shlex.quote(value)}" for key, value in self.exports().items())


def _may_be_our_lock(lock: Path) -> bool:
    """Whether it is a folder of ours, or not there."""
    try:
        found = lock.lstat()
    except OSError:
        return True
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()


def _prefixed(name: str) -> Path:
    return ROOT / f"perfdb-{os.getuid()}-{name}"
