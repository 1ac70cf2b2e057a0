"""A Parsl config that is not under test: what is under test is loaded from its nodes."""

from __future__ import annotations

import hashlib

from perfdb.parsl_config.description import ConfigDescription
from perfdb.parsl_config.params import NO_SET_UP, fingerprint


def on_nodes_of(subject: ConfigDescription, nodes: ConfigDescription, prefix: str) -> ConfigDescription:
    """What is under test, together with the config whose nodes are used for it: both are part of the set-up.

    Args:
        subject: What is under test.
        nodes: The described config.
        prefix: What the names of that config's params begin with, before a dot.
    """
    theirs = {f"{prefix}.{name}": value for name, value in nodes.params.items() if name not in NO_SET_UP}
    params = {**subject.params, **theirs}
    source = f"{subject.source}\n# {prefix}: {nodes.name}\n{nodes.source}"
    return nodes.model_copy(
        update={
            "name": subject.name,
            "params": params,
            "fingerprint": fingerprint(params),
            "source": source,
            "source_sha256": hashlib.sha256(source.encode()).hexdigest(),
            "parsl_version": subject.parsl_version,
            "packages": {**nodes.packages, **subject.packages},
            "parsl_perf": None,
            "parsl_perf_flags": (),
        }
    )
