"""The runbook's files, for whoever asks for them besides the record."""
