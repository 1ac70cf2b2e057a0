"""What is kept of the cluster besides the jobs: files in the folder `artifacts`, without a host, a user or an address."""

import os
import re
import socket
from pathlib import Path

from perfdb.redaction import Identity, Redactor

# Of a log: so much of its beginning, and so much of its end.
_HEAD, _TAIL = 64 * 1024, 192 * 1024
_FIELDS = (
    "State",
    "CPUTot",
    "RealMemory",
    "Sockets",
    "CoresPerSocket",
    "ThreadsPerCore",
    "Arch",
    "Gres",
    "Weight",
    "Version",
)
_ADDRESS = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")
_PORT = re.compile(r"\b(\w*Port)=\d+")


def keep(cluster, folder):
    """Leave slurm.conf, what slurmctld logged, and what Slurm says of its nodes; what can't be had is left out."""
    folder = Path(folder)
    folder.mkdir(exist_ok=True)
    scrub = _Scrubber(cluster)
    (folder / "nodes.txt").write_text(
        "".join(f"{line}\n" for line in nodes(cluster.slurm.described_nodes(), cluster.order))
    )
    if cluster.places is None:
        return
    (folder / "slurm.conf").write_text(scrub.text(cluster.places.conf.read_text(errors="replace")))
    (folder / "slurmctld.log").write_text(scrub.text(_bounded(cluster.places.slurmctld_log, cluster.log_from)))


def nodes(described, order):
    """A line for each node, by its number, of what may be told of it."""
    for line in described.splitlines():
        fields = dict(word.partition("=")[::2] for word in line.split())
        if fields.get("NodeName") in order:
            told = " ".join(f"{name}={fields[name]}" for name in _FIELDS if name in fields)
            yield f"node {order.index(fields['NodeName'])}: {told}"


class _Scrubber:
    """Masks what the redaction does, and what only a cluster's files name."""

    def __init__(self, cluster):
        self._redactor = Redactor((), Identity.here())
        host = socket.gethostname()
        self._names = (
            {str(cluster.places.folder): "<cluster>", cluster.places.cluster_name: "<cluster-name>"}
            if cluster.places
            else {}
        )
        self._hosts = re.compile(rf"(?<![\w.-]){re.escape(host.partition('.')[0])}(?![\w-])(?:\.[\w.-]+)?")

    def text(self, text):
        for name, instead in self._names.items():
            text = text.replace(name, instead)
        text = self._hosts.sub("<host>", text)
        text = _PORT.sub(r"\1=<port>", _ADDRESS.sub("<address>", text))
        return self._redactor.text(text)


def _bounded(path, begin):
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(begin)
        if size - begin <= _HEAD + _TAIL:
            return file.read().decode("utf-8", "replace")
        head = file.read(_HEAD).rpartition(b"\n")[0]
        file.seek(size - _TAIL)
        tail = file.read().partition(b"\n")[2]
    left_out = size - begin - len(head) - len(tail)
    return f"{head.decode('utf-8', 'replace')}\n[{left_out} bytes left out]\n{tail.decode('utf-8', 'replace')}"
