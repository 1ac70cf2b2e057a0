"""What one arm did in one iteration, in numbers: pure, from what became of its jobs."""
