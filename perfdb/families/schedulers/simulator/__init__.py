"""A list of jobs on so many nodes under a policy, played through event by event: what comes out is computed, not measured."""
