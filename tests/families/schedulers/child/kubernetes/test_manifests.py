"""What is made for a job, without a cluster."""

from __future__ import annotations

from perfdb.families.schedulers.child.kubernetes.arms_file import Described, Jobs, KubernetesArm, Lammps
from perfdb.families.schedulers.child.kubernetes.manifests import Setting, of_a_job
from perfdb.families.schedulers.plan import STEPS_PER_S
from perfdb.families.schedulers.workload.job import WorkJob


def test_lammps_gets_as_many_steps_for_a_second_as_in_every_arm() -> None:
    jobs = Jobs(lammps=Lammps(image="lammps", command=("lmp", "{steps}")))
    described = Described(name="mine", arm=KubernetesArm(), jobs=jobs)
    setting = Setting("0123456789", "perfdb", described, "lammps", ("a",), False, "1", "me")
    job = WorkJob(job=1, arrival_s=0.0, nodes=1, run_s=2.5, limit_s=60.0, user=0, experiment="x")
    command = of_a_job(setting, job, 1)[-1]["spec"]["template"]["spec"]["containers"][0]["command"]
    assert command[-2:] == ["lmp", str(round(2.5 * STEPS_PER_S))]
