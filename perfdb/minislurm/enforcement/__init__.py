"""Keeping a job to its CPUs and its memory, by the strongest means that this machine lets us have."""

from perfdb.minislurm.enforcement.enforcement import Enforcement, Share
from perfdb.minislurm.enforcement.finding import by_name, strongest
from perfdb.minislurm.enforcement.leftovers import MARK, end_all

__all__ = ["MARK", "Enforcement", "Share", "by_name", "end_all", "strongest"]
