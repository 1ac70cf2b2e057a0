"""Many runs: arms that take turns, sweeps, bisections; each can be gone on with after any interruption."""
