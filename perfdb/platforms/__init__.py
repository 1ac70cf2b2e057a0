"""Where blocks run: finding a run's cluster jobs, ending them, and how long they queued."""

from perfdb.platforms.base import ON_SUBMIT_HOST, Job, NodeBoot, Platform, Stamp
from perfdb.platforms.batch import BATCH_SYSTEMS
from perfdb.platforms.kubernetes import KUBERNETES
from perfdb.platforms.mini_slurm import MINI_SLURM
from perfdb.platforms.slurm import SLURM

PLATFORMS: tuple[Platform, ...] = (SLURM, MINI_SLURM, KUBERNETES, *BATCH_SYSTEMS)

__all__ = ["ON_SUBMIT_HOST", "PLATFORMS", "Job", "NodeBoot", "Platform", "Stamp", "platforms_for"]


def platforms_for(provider_classes: tuple[str, ...]) -> tuple[Platform, ...]:
    """The platforms behind those Parsl providers; a local provider's processes need none."""
    return tuple(p for p in PLATFORMS if p.provider_classes & set(provider_classes))
