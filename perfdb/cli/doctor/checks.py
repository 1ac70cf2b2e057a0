"""All checks, in the order in which they are told."""

from __future__ import annotations

from perfdb.cli.doctor import (
    clock,
    contributing,
    disks,
    envoy,
    kubernetes,
    limits,
    mini_slurm,
    mirror,
    others,
    runs,
    site,
    slurm,
    software,
)
from perfdb.cli.doctor.running import Check

CHECKS = (
    Check("python", "python", "every command", software.look_at_python),
    Check("packages", "packages", "every command", software.look_at_packages),
    Check("parsl", "parsl-perf", "perfdb run throughput", software.look_at_parsl),
    Check("settings", "settings", "every command", site.look),
    Check("git", "git", "perfdb contribute", contributing.look),
    Check("git", "git push", contributing.PUSH, contributing.look_at_push),
    Check("mlflow", "mlflow database", mirror.SHOWING, mirror.look_at_database),
    Check("mlflow", "mlflow server", mirror.SHOWING, mirror.look_at_server),
    Check("mlflow", "mlflow backlog", mirror.SHOWING, mirror.look_at_backlog),
    Check("slurm", "slurm", slurm.NEEDED_FOR, slurm.look),
    Check("pocket", "pocket cluster", slurm.POCKET, slurm.look_at_pocket),
    Check("mini-slurm", "mini-slurm", mini_slurm.NEEDED_FOR, mini_slurm.look),
    Check("envoy", "envoy", envoy.NEEDED_FOR, envoy.look),
    Check("kubernetes", "kubernetes", kubernetes.NEEDED_FOR, kubernetes.look),
    Check("others", "flux, mpi", "configs for them", others.look),
    Check("limits", "limits", "every run", limits.look),
    Check("disk", "registry", disks.REGISTRY, disks.look_at_registry, wanted=True),
    Check("disk", "state folder", disks.STATE, disks.look_at_state, wanted=True),
    Check("disk", "work folder", disks.WORK, disks.look_at_work, wanted=True),
    Check("disk", "temporary folder", disks.TEMPORARY, disks.look_at_temporary),
    Check("clock", "clock", clock.NEEDED_FOR, clock.look),
    Check("runs", "runs", "perfdb sync", runs.look),
)
TOPICS = tuple(dict.fromkeys(check.topic for check in CHECKS))
