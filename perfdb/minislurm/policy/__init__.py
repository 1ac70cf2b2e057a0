"""Who starts and who is resized: pure functions of what is known, and nothing else."""
