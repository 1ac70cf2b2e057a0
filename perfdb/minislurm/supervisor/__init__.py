"""One small process a job, that sees it through whatever becomes of the daemon."""
