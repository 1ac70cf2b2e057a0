"""Keeping a job to its CPUs and its memory, by the strongest means that this machine lets us have."""
