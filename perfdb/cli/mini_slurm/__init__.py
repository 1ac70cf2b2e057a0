"""`mini-slurm`: a batch scheduler for this machine."""
