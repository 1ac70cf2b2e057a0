"""Which checkout a registry is contributed through, and what it is called there."""

from __future__ import annotations

from pathlib import Path

from perfdb.errors import RegistryError
from perfdb.gitrepo import Repository

# What results repositories call it; a registry kept elsewhere is filed there.
USUAL_NAME = "mlruns"


def home_of(registry: Path, root: Path) -> tuple[Repository, str]:
    """The checkout that the registry lies in, else the root's; and the registry's path in it.

    Raises:
        RegistryError: there is none, or it is not fit for it.
    """
    if not registry.is_dir():
        raise RegistryError(
            f"there is no registry in {registry}, so there is nothing to contribute. Measure first: run-parsl-perf.py "
            "parsl-configs/local_htex.py, or say where it is with PERFDB_REGISTRY."
        )
    real = registry.resolve()
    repository = Repository.around(real)
    if repository is not None:
        top = repository.top.resolve()
        if real == top:
            raise RegistryError(
                f"the registry is the uppermost folder of the checkout {top}. Records go below a folder of their own: "
                "set PERFDB_REGISTRY to one in it, such as mlruns, and move them there."
            )
        return repository, real.relative_to(top).as_posix()
    repository = Repository.around(root)
    if repository is None:
        raise RegistryError(
            f"neither {registry} nor {root} lies in a git checkout. Clone the results repository that you contribute to, "
            "and set PERFDB_ROOT to the clone (PERFDB_REGISTRY says where the records are)."
        )
    return repository, USUAL_NAME
