"""Several programs as one service, in the foreground: started together, watched, ended together.

    perfdb serve ──> perfdb.processes.supervisor ──> group ──> backend-1, backend-2, …, envoy

The supervisor ends all of it when perfdb is gone; each program asks the kernel to be killed with the one that started it,
so that nothing is left even where several of them are killed at once.
"""
