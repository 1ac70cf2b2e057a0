"""mini-slurm: a batch scheduler for one machine, whose elastic jobs grow and shrink while they run.

    mini-slurm submit ──socket──> daemon ──> store (SQLite: jobs, scale history; the daemon is its one writer)
    (no daemon: it writes itself,   │ ^
     under the daemon's lock)       │ └── policy: Cluster -> starts and resizes, pure
                                    v
                    fork server ──fork──> supervisor, one a job; outlives the daemon
                                              │ ├── its journal: claimed, started, exit; read by whichever daemon comes next
                                              │ └── enforcement: cgroups, or what there is
                                              v
                                             job <──control file, SIGUSR1── daemon
                                              └──answer file, a hint by datagram──> daemon

What is promised is in the store before it is done, and what happened is in a journal before anybody hears of it. So each of
them may be killed at any moment: a job runs at most once, since its supervisor must create its journal to run it, and
whoever finds a journal without an end and without a supervisor knows what to say of the job.

Times that are subtracted come from CLOCK_MONOTONIC, which all processes of one boot share; wall clocks are for people.
"""
