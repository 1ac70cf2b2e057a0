"""What the schedulers get to do: one seeded list of jobs, the same for every arm."""
