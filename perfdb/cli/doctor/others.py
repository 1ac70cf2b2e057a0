"""Batch systems that take a command and no more."""

from __future__ import annotations

from collections.abc import Iterator

from perfdb.cli.doctor.here import Here, has
from perfdb.cli.doctor.installing import system_package
from perfdb.cli.doctor.point import Point


def look(here: Here) -> Iterator[Point]:  # noqa: ARG001 (a check's shape)
    """Flux and MPI."""
    for name, program, config, fix in (
        (
            "flux",
            "flux",
            "configs with a FluxExecutor",
            "conda install --channel conda-forge flux-core, or ask the site",
        ),
        ("mpi", "mpirun", "configs with an MPI launcher", system_package("openmpi-bin", "openmpi")),
    ):
        if has(program):
            yield Point(name, "ok", f"`{program}` is here", config)
        else:
            yield Point(name, "note", f"`{program}` is not on PATH", config, fix)
