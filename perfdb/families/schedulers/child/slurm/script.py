"""What a job of the list is at Slurm: the words of its `sbatch`."""

import math
import os
import shlex
import shutil
import sys
from pathlib import Path

from perfdb.families.schedulers.plan import STEPS_PER_S

_INSIDE = Path(__file__).resolve().parents[1] / "inside.py"
# LAMMPS's own benchmark of a Lennard-Jones liquid, with 4,000 atoms.
_MELT = """\
units lj
atom_style atomic
lattice fcc 0.8442
region box block 0 10 0 10 0 10
create_box 1 box
create_atoms 1 box
mass 1 1.0
velocity all create 1.44 87287 loop geom
pair_style lj/cut 2.5
pair_coeff 1 1 1.0 1.0 2.5
neighbor 0.3 bin
neigh_modify delay 0 every 20 check no
fix 1 all nve
run ${steps}
"""
# One rank a node, each on whatever core is free: the nodes of a pocket cluster share theirs.
_OPEN_MPI = {
    "OMPI_MCA_hwloc_base_binding_policy": "none",
    "OMPI_MCA_mpi_yield_when_idle": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMP_NUM_THREADS": "1",
}
_AS_ROOT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


class Missing(Exception):
    """A program of the jobs is not installed; the text says what to do."""


class Scripts:
    """The jobs' words; `work`: sleep, burn or lammps; `folder`: for what jobs write.

    Raises:
        Missing: LAMMPS is.
    """

    def __init__(self, cluster, work, folder):
        self._cluster, self._work, self._folder = cluster, work, folder
        self._melt = os.path.join(folder, "melt.in")
        if work == "lammps":
            missing = [program for program in ("lmp", "mpirun") if shutil.which(program) is None]
            if missing:
                raise Missing(
                    f"the jobs are to run LAMMPS, and {' and '.join(missing)} is not on PATH: on Debian and Ubuntu `apt-get "
                    "install lammps` brings it; or give --job sleep"
                )
            Path(self._melt).write_text(_MELT, encoding="ascii")

    def words(self, job, batch):
        """Of `sbatch`, for a job of the list."""
        cluster = self._cluster
        wrapped = shlex.join(
            [sys.executable, "-I", "-S", str(_INSIDE), self.stamps(job, batch), str(job.limit_s), *self._does(job)]
        )
        return [
            "--job-name=" + cluster.name,
            f"--nodes={job.nodes}",
            "--ntasks-per-node=1",
            "--exclusive",
            f"--time={minutes(job)}",
            "--requeue" if cluster.preempt == "requeue" else "--no-requeue",
            "--chdir=" + self._folder,
            "--output=" + self.output(job, batch),
            *(["--exclude=" + ",".join(cluster.others)] if cluster.others else []),
            *(["--partition=" + partition_of(job)] if cluster.preempt != "off" else []),
            "--wrap=exec " + wrapped,
        ]

    def stamps(self, job, batch):
        """The file in which it says when it began and ended."""
        return os.path.join(self._folder, f"{batch}-{job.job}.stamps")

    def output(self, job, batch):
        """The file for whatever else it says."""
        return os.path.join(self._folder, f"{batch}-{job.job}.out")

    def _does(self, job):
        if self._work == "sleep":
            return ["sleep", str(job.run_s)]
        if self._work == "burn":
            here = ["burn", str(job.run_s)]
            if job.nodes == 1:
                return here
            # Slurm runs a job's script on the first of its nodes alone.
            on_each = [sys.executable, "-I", "-S", str(_INSIDE), "-", str(job.limit_s), *here]
            return ["run", "srun", f"--nodes={job.nodes}", "--ntasks-per-node=1", *on_each]
        settings = {**_OPEN_MPI, **(_AS_ROOT if os.getuid() == 0 else {})}
        steps = max(1, round(job.run_s * STEPS_PER_S))
        lammps = ["lmp", "-in", self._melt, "-var", "steps", str(steps), "-log", "none"]
        return [
            "run",
            "env",
            *(f"{name}={value}" for name, value in settings.items()),
            "mpirun",
            "-np",
            str(job.nodes),
            *lammps,
        ]


def minutes(job):
    """Its limit as Slurm takes it: whole minutes, rounded up."""
    return math.ceil(job.limit_s / 60)


def partition_of(job):
    """Where one job may take another's nodes: users with odd numbers from users with even ones."""
    return "high" if job.user % 2 else "low"
