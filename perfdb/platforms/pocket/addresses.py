"""Which address a cluster's daemons listen on.

Slurm's daemons and srun listen on every address, or else on the one that the machine's own name stands for, whatever
address they are given otherwise. And srun is called back at 127.0.0.1, from where it is seen to call, so that any other,
Debian's 127.0.1.1 too, would keep steps from starting.
"""

from __future__ import annotations

import socket

ADDRESS = "127.0.0.1"


def is_closed() -> bool:
    """Whether daemons that listen on this machine's own name can't be reached from anywhere else."""
    try:
        found = socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET, socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return bool(found) and found[0][4][0] == ADDRESS


def open_sentence() -> str:
    """What to say where they can."""
    return (
        "Slurm's daemons listen on every address of this machine, though they obey nobody without the cluster's key. They "
        f"would listen on {ADDRESS} alone if this machine's name, {socket.gethostname()!r}, stood for that in /etc/hosts"
    )
