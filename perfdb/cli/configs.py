"""`perfdb configs`: the set-ups in parsl-configs/, and whether they load here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from perfdb.settings import Settings


def configs(
    python: Annotated[Path | None, typer.Option(metavar="EXE", help="Load them with the Parsl of this Python.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List the configs in parsl-configs/.

    Tells platform, executors and whether each loads here. Each is loaded in a child process of its own.

    \b
    Examples:
      perfdb configs
      perfdb configs --python venv/bin/python
    """
    from concurrent.futures import ThreadPoolExecutor

    from perfdb.cli.found import CONFIG_FOLDER, config_files, find_python
    from perfdb.cli.terminal import print_json, printable
    from perfdb.settings import load_settings

    settings = load_settings()
    exe = find_python(python)
    with ThreadPoolExecutor(2) as pool:
        rows = list(pool.map(lambda path: _row(path, exe, settings), config_files(settings.root)))
    if as_json:
        print_json(rows)
        return
    if not rows:
        print(f"no configs in {settings.root / CONFIG_FOLDER}. Put one there, or give `perfdb run` a config's path.")
    for row in rows:
        print(
            f"{row['name']:<20} {row['platform']:<12} {printable(', '.join(row['executors']) or 'does not load here')}"
        )
        if row["why"]:
            print(f"{'':<20} {printable(row['why'])}")


def _row(path: Path, python: Path, settings: Settings) -> dict[str, Any]:
    from perfdb.errors import ConfigError, ParslInstallError
    from perfdb.parsl_config import describe
    from perfdb.redaction import Identity

    row: dict[str, Any] = {"name": path.stem, "platform": path.stem.partition("_")[0], "executors": []}
    try:
        found = describe(path, python=python, timeout_s=settings.config_timeout_s, identity=Identity.here())
    except (ConfigError, ParslInstallError) as error:
        return {**row, "loads": False, "why": str(error)}
    executors = [f"{e.class_name}/{e.provider_class}" if e.provider_class else e.class_name for e in found.executors]
    return {**row, "executors": executors, "loads": True, "why": None}
