"""Slurm's commands, each asked for a bounded time."""

import os
import re
import subprocess

_PATIENCE_S = 30.0
_LOOK = "JobID,State,NodeList,SubmitTime,EligibleTime,StartTime,EndTime"
_OVER = (
    "BOOT_FAIL",
    "CANCELLED",
    "COMPLETED",
    "DEADLINE",
    "FAILED",
    "NODE_FAIL",
    "OUT_OF_MEMORY",
    "REVOKED",
    "TIMEOUT",
)
# Of the caller's own environment: what would make Slurm think that we are a job, and what is none of a job's business.
_LEFT_OUT = ("SLURM_JOB", "SLURM_STEP", "MINI_SLURM_", "PERFDB_")


class Refused(Exception):
    """Slurm said no, or does not answer; the text is its own."""


class Seen:
    """A job, as Slurm tells of it; instants in whole seconds since 1970, None where it has none.

    state: one of Slurm's words, `GONE` where it knows the job no more. node_list: as Slurm abbreviates it.
    """

    def __init__(self, state="GONE", node_list="", submitted="", eligible="", started="", ended=""):
        self.state = state
        self.node_list = "" if node_list in ("(null)", "N/A") else node_list
        self.submitted, self.eligible, self.started, self.ended = map(_second, (submitted, eligible, started, ended))

    @property
    def is_over(self):
        """Whether its script is, and it will not begin again."""
        return self.state in (*_OVER, "COMPLETING", "GONE")

    @property
    def has_left(self):
        """Whether its nodes are given back as well."""
        return self.state in (*_OVER, "GONE")

    @property
    def is_running(self):
        """Whether it has nodes that do its work, or would if it were not suspended."""
        return not self.is_over and self.state != "PENDING"


class Slurm:
    """One cluster's. `env`: what tells the commands which one, None for what this process says."""

    def __init__(self, folder, env=None):
        self._folder = folder
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(_LEFT_OUT)}
        self._env = {**(inherited if env is None else env), "LC_ALL": "C", "SLURM_TIME_FORMAT": "%s"}
        self._hosts = {"": ()}

    def ask(self, *argv):
        """What a command prints.

        Raises:
            Refused: it says no, is not there, or does not answer.
        """
        try:
            done = subprocess.run(
                argv,
                cwd=self._folder,
                env=self._env,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_PATIENCE_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Refused(f"{argv[0]} did not answer within {_PATIENCE_S:g} s") from None
        except OSError as error:
            raise Refused(f"{argv[0]} could not be run: {error.strerror}") from None
        out, err = (text.decode("utf-8", "replace").strip() for text in (done.stdout, done.stderr))
        if done.returncode != 0:
            raise Refused(f"{argv[0]}: " + (" ".join((err or out).split()) or f"exit code {done.returncode}"))
        return out

    def submit(self, *argv):
        """Hand a batch job over; returns its id, as text."""
        return self.ask("sbatch", "--parsable", *argv).partition(";")[0]

    def jobs(self, name):
        """Every job of ours of that name that Slurm still knows, by id."""
        fields = ",".join(field + ":|" for field in _LOOK.split(","))
        whose = ("--states=all", "--name=" + name, f"--user={os.getuid()}")
        out = self.ask("squeue", "--noheader", *whose, "--Format=" + fields)
        rows = (line.split("|") for line in out.splitlines())
        return {row[0]: Seen(*row[1:7]) for row in rows if len(row) > 6}

    def own_names(self):
        """What the jobs of this user are called that are not over."""
        return set(self.ask("squeue", "--noheader", f"--user={os.getuid()}", "--format=%j").splitlines())

    def cancel(self, name):
        """End every job of ours of that name; returns whether none is left."""
        if any(not seen.has_left for seen in self.jobs(name).values()):
            self.ask("scancel", "--quiet", f"--user={os.getuid()}", "--name=" + name)
        return all(seen.has_left for seen in self.jobs(name).values())

    def nodes(self):
        """The nodes that jobs get when nobody says which: the state of each, by name, in the order in which Slurm counts."""
        wanted = self._env.get("SBATCH_PARTITION", "")
        states = {}
        for line in self.ask("sinfo", "--noheader", "--Node", "--format=%N|%T|%P").splitlines():
            node, state, partition = line.split("|", 2)
            if partition.rstrip("*") in wanted.split(",") if wanted else partition.endswith("*"):
                states[node] = state
        order = re.findall(r"^NodeName=(\S+)", self.described_nodes(), re.MULTILINE)
        return {node: states[node] for node in order if node in states}

    def described_nodes(self):
        """All that Slurm says of its nodes, one a line."""
        return self.ask("scontrol", "--oneliner", "show", "node")

    def hosts(self, node_list):
        """The names in a list that Slurm abbreviated."""
        if node_list not in self._hosts:
            self._hosts[node_list] = tuple(self.ask("scontrol", "show", "hostnames", node_list).split())
        return self._hosts[node_list]

    def settings(self):
        """Its configuration, by Slurm's own names."""
        pairs = (line.partition("=") for line in self.ask("scontrol", "show", "config").splitlines())
        return {name.strip(): value.strip() for name, sign, value in pairs if sign}

    def version(self):
        """Such as `22.05.8`."""
        return self.ask("scontrol", "--version").split()[-1]

    def second(self):
        """The controller's clock: whole seconds since 1970.

        Raises:
            Refused: it does not say.
        """
        found = re.search(r"sdiag output at .*\((\d+)\)", self.ask("sdiag"))
        if found is None:
            raise Refused("sdiag does not say when it was asked")
        return int(found[1])


def _second(text):
    return int(text) if text.isdigit() and int(text) > 0 else None
