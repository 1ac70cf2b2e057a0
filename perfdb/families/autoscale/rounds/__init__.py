"""From a child's answers and the scheduler's times to one round: every node's milestones, each with its source."""
