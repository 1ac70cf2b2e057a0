"""A real Slurm on one machine, in a folder of its own: several slurmd beside one slurmctld, with their own munged."""

from perfdb.platforms.pocket.cluster import down, up
from perfdb.platforms.pocket.options import DEFAULT_NAME, Options
from perfdb.platforms.pocket.places import Places

__all__ = ["DEFAULT_NAME", "Options", "Places", "down", "up"]
