"""The scheduler: woken by commands, by jobs' hints and by the end of supervisors; a slow tick is only its backstop."""
