"""Slurm's commands, each asked for a bounded time, in a folder of ours."""

import os
import re
import subprocess

# A command whose controller is away tries again by itself for about this long.
PATIENCE_S = 30.0
# What is over or about to be, in Slurm's words; in every other state a job runs, or may come to.
_OVER = (
    "BOOT_FAIL",
    "CANCELLED",
    "COMPLETED",
    "COMPLETING",
    "DEADLINE",
    "FAILED",
    "NODE_FAIL",
    "OUT_OF_MEMORY",
    "REVOKED",
    "TIMEOUT",
)
_FIELD = re.compile(r"(\w+)=(\S*)")
_GRANTED = re.compile(r"Granted job allocation (\d+)")
# The controller may be back in a moment; what else Slurm refuses, it refuses again. Without a word (scancel's way) it is away.
_AWAY = re.compile(
    r"Unable to contact|Connection (?:refused|reset)|Zero Bytes were transmitted|Socket timed out|"
    r"Unexpected message received|Slurm controller|backup controller",
    re.IGNORECASE,
)

# Where scontrol thinks that it runs in a job it leaves a script in its folder. The others are ours, and no job's.
_LEFT_OUT = ("SLURM_JOB", "SLURM_STEP", "MINI_SLURM_", "PERFDB_ELASTIC_PLAN", "PERFDB_HOST_KEY")


class Refused(Exception):
    """Slurm said no; the text is its own."""


class Away(Refused):
    """The controller did not answer, so nobody knows whether it did what it was asked."""


class Seen:
    """What Slurm says of a job.

    id: as Slurm numbers it. state: one of Slurm's words, `GONE` where Slurm knows it no more. nodes: how many it holds.
    node_list: which ones, as Slurm abbreviates them. batch_host: where its script runs. resized_at: when Slurm says
    that it was resized last, in whole seconds since 1970, None before any. fields: all that Slurm says.
    """

    def __init__(self, id, fields):
        self.id = id
        self.fields = fields
        self.state = fields.get("JobState", "GONE")
        self.node_list = _known(fields, "NodeList")
        self.batch_host = _known(fields, "BatchHost")
        # Once it is over, the nodes that it had are still named.
        self.nodes = int(fields.get("NumNodes", "0").partition("-")[0] or 0) if self.state == "RUNNING" else 0
        resized = fields.get("ResizeTime", "")
        self.resized_at = int(resized) if resized.isdigit() else None

    @property
    def is_running(self):
        """Whether it can be resized."""
        return self.state == "RUNNING"


class Slurm:
    """The cluster that the environment names."""

    def __init__(self, folder):
        self._folder = folder
        self._env = {name: value for name, value in os.environ.items() if not name.startswith(_LEFT_OUT)}
        self._env.update(LC_ALL="C", SLURM_TIME_FORMAT="%s")

    def ask(self, *argv, **options):
        """What a command prints.

        Raises:
            Away: the controller did not answer.
            Refused: Slurm said no, or has no such command.
        """
        patience_s = options.get("patience_s", PATIENCE_S)
        try:
            done = subprocess.run(
                argv,
                cwd=self._folder,
                env=self._env,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=patience_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Away(f"{argv[0]} did not answer within {patience_s:g} s") from None
        except OSError as error:
            raise Refused(f"{argv[0]} could not be run: {error.strerror}") from None
        out, err = (text.decode("utf-8", "replace").strip() for text in (done.stdout, done.stderr))
        if done.returncode != 0:
            words = " ".join((err or out or f"Unable to contact slurm controller, exit code {done.returncode}").split())
            raise (Away if _AWAY.search(words) else Refused)(f"{argv[0]}: {words}")
        return out + "\n" + err if options.get("both") else out

    def job(self, id):
        """What Slurm says of that job.

        Raises:
            Away: the controller did not answer.
            Refused: Slurm does not let us ask.
        """
        try:
            return Seen(id, dict(_FIELD.findall(self.ask("scontrol", "--oneliner", "show", "job", str(id)))))
        except Away:
            raise
        except Refused as refused:
            if "Invalid job id" in str(refused):
                return Seen(id, {})
            raise

    def nodes_of(self, seen):
        """The names of the nodes that it holds, where its script runs first."""
        names = self.ask("scontrol", "show", "hostnames", seen.node_list).split() if seen.node_list else []
        return sorted(names, key=lambda name: name != seen.batch_host)

    def states(self, name):
        """The state of each job of that name that Slurm still knows, and its comment, by id."""
        out = self.ask("squeue", "--noheader", "--states=all", "--name=" + name, "--format=%A|%T|%k")
        rows = [line.split("|", 2) for line in out.splitlines()]
        return {int(id): (state, comment) for id, state, comment in rows}

    def own_names(self):
        """What the jobs of this user are called, those that are over left out."""
        return set(self.ask("squeue", "--noheader", f"--user={os.getuid()}", "--format=%j").splitlines())

    def partition_nodes(self):
        """The nodes that jobs get when nobody says which: the state of each, by name."""
        wanted = os.environ.get("SBATCH_PARTITION", "")
        found = {}
        for line in self.ask("sinfo", "--noheader", "--Node", "--format=%N|%T|%P").splitlines():
            node, state, partition = line.split("|", 2)
            if partition.rstrip("*") in wanted.split(",") if wanted else partition.endswith("*"):
                found[node] = state
        return found

    def node_order(self):
        """The names of all nodes, in the order in which Slurm counts them."""
        return re.findall(r"^NodeName=(\S+)", self.ask("scontrol", "--oneliner", "show", "node"), re.MULTILINE)

    def version(self):
        """Of Slurm, as it says it, such as `22.05.8`."""
        return self.ask("scontrol", "--version").split()[-1]

    def enforcement(self):
        """What keeps jobs to the CPUs of their nodes, '' where nothing does."""
        found = re.search(r"^TaskPlugin\s*=\s*(\S+)", self.ask("scontrol", "show", "config"), re.MULTILINE)
        return found[1] if found and found[1] != "task/none" else ""

    def submit(self, *argv):
        """Hand a batch job over; returns its id."""
        return int(self.ask("sbatch", "--parsable", *argv).partition(";")[0])

    def keep(self, id, names):
        """Have a running job hold these of its nodes alone."""
        self.ask("scontrol", "update", f"JobId={id}", "NodeList=" + ",".join(names))

    def give_up(self, id):
        """Have a helper hand all of its nodes to the job that it expands."""
        self.ask("scontrol", "update", f"JobId={id}", "NumNodes=0")

    def helper(self, seen, count, name, but, wait_s):
        """Get so many nodes, none of `but`, in a job that can hand them to the one that was `seen`; returns its id.

        Nothing runs in it.

        Raises:
            Refused: there were none within `wait_s` seconds, or there can't be any.
        """
        like = [
            f"--{option}={value}"
            for option, value in (
                ("partition", _known(seen.fields, "Partition")),
                ("account", _known(seen.fields, "Account")),
                ("qos", _known(seen.fields, "QOS")),
            )
            if value
        ]
        said = self.ask(
            "salloc",
            "--no-shell",
            f"--dependency=expand:{seen.id}",
            f"--nodes={count}",
            "--exclusive",
            *(["--exclude=" + ",".join(but)] if but else []),
            # A whole number of seconds; of 1 Slurm makes "at once or never", so 2 is the least that waits.
            f"--immediate={max(2, round(wait_s))}",
            "--job-name=" + name,
            f"--comment={seen.id}",
            *like,
            patience_s=wait_s + PATIENCE_S,
            both=True,
        )
        match = _GRANTED.search(said)
        if match is None:
            raise Refused("salloc: " + " ".join(said.split()))
        return int(match[1])

    def signal(self, id):
        """Have SIGUSR1 sent to the first process of a job's script, and to no other one."""
        self.ask("scancel", "--batch", "--signal=USR1", str(id))

    def cancel_helpers(self, name, id):
        """End the helpers of that name that were to expand the job `id`."""
        left = [helper for helper, (state, of) in self.states(name).items() if is_active(state) and of == str(id)]
        if left:
            self.ask("scancel", "--quiet", *map(str, left))

    def cancel_named(self, name):
        """End every job of ours of that name; returns whether none is left."""
        self.ask("scancel", "--quiet", f"--user={os.getuid()}", "--name=" + name)
        return not any(is_active(state) for state, _ in self.states(name).values())


def is_active(state):
    """Whether a job in that state runs, or may come to."""
    return state not in _OVER


def _known(fields, name):
    value = fields.get(name, "")
    return "" if value in ("(null)", "N/A", "None") else value
