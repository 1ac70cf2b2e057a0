"""Who starts now, of all who wait: one module for each policy."""

from __future__ import annotations

from perfdb.families.schedulers.arms import Policy as Name
from perfdb.families.schedulers.simulator.cluster import Policy
from perfdb.families.schedulers.simulator.policies.easy import backfill
from perfdb.families.schedulers.simulator.policies.fifo import fifo
from perfdb.families.schedulers.simulator.policies.mini_slurm import mini_slurm

POLICIES: dict[Name, Policy] = {"fifo": (fifo,), "easy": (fifo, backfill), "mini-slurm": (mini_slurm,)}
