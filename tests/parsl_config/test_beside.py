"""A service that is loaded from the nodes of a config: both are the set-up."""

from __future__ import annotations

import ast
import hashlib
from typing import Any

from perfdb.families.scaling.subject import describe
from perfdb.parsl_config.beside import on_nodes_of
from perfdb.parsl_config.description import ConfigDescription
from perfdb.parsl_config.params import fingerprint

SERVICE = describe("http://127.0.0.1:8000", "key")


def nodes(**changes: Any) -> ConfigDescription:
    fields: dict[str, Any] = {
        "name": "slurm_hopper",
        "params": {"config.run_dir": "runinfo", "provider.max_blocks": 4},
        "fingerprint": "0" * 64,
        "source": "config = 1\n",
        "source_sha256": "0" * 64,
        "executors": (),
        "parsl_version": "2026.10.26",
        "python_version": "3.11.7",
        "python_implementation": "CPython",
        "packages": {"parsl": "2026.10.26"},
        "parsl_perf_flags": ("--time",),
        "monitoring": False,
        "usage_tracking": False,
        "secrets": ("obviously-fake",),
    }
    return ConfigDescription(**{**fields, **changes})


def test_the_params_of_both_are_the_records_and_their_fingerprint_is_that_of_both() -> None:
    both = on_nodes_of(SERVICE, nodes(), "clients_on")
    assert both.params == {**SERVICE.params, "clients_on.provider.max_blocks": 4}
    assert both.fingerprint == fingerprint(both.params)
    other = on_nodes_of(SERVICE, nodes(params={"provider.max_blocks": 5}), "clients_on")
    assert len({SERVICE.fingerprint, both.fingerprint, other.fingerprint}) == 3


def test_it_is_called_as_the_service_and_parsl_is_not_what_was_measured() -> None:
    both = on_nodes_of(SERVICE, nodes(), "clients_on")
    assert (both.name, both.parsl_version, both.packages["parsl"]) == (SERVICE.name, "", "2026.10.26")


def test_the_sources_of_both_are_kept_and_what_is_secret_in_the_config_stays_known() -> None:
    both = on_nodes_of(SERVICE, nodes(), "clients_on")
    assert both.source == SERVICE.source + "\n# clients_on: slurm_hopper\nconfig = 1\n"
    assert both.source_sha256 == hashlib.sha256(both.source.encode()).hexdigest()
    ast.parse(both.source)
    assert both.secrets == ("obviously-fake",)
