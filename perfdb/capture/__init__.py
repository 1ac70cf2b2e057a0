"""Where a run happens: facts about hosts, this machine's label, perfdb's own version."""
