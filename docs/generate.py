"""The reference pages, made from the code: `make docs`. tests/docs/ fails when they are older than the code.

Nothing of the machine or of its settings goes in: the commands run in an environment with nothing set.
"""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel

from perfdb import errors
from perfdb.cli.app import app
from perfdb.cli.mini_slurm.app import app as mini_slurm_app
from perfdb.families import FAMILIES, Family
from perfdb.record import Annotation, MetricDefinition, Record, Retraction
from perfdb.registry.importers.definitions import DEFINITIONS, HEADLINES
from perfdb.settings import SETTINGS_FILE, Settings

REFERENCE = Path(__file__).parent / "reference"
BIN = Path(sys.executable).parent
COLUMNS = 100
SCHEMAS: dict[str, type[BaseModel]] = {"record": Record, "retraction": Retraction, "annotation": Annotation}
MADE = "<!-- Made by docs/generate.py; `make docs` makes it anew. -->"
MEANINGS = {
    "EXIT_DONE": "Done.",
    "EXIT_ERROR": "perfdb could not do it and says why in one paragraph, or it has a bug and shows a traceback. Also: "
    "`perfdb doctor` found trouble, `perfdb sync` had trouble, `perfdb server status` found no server, "
    "`perfdb cluster status` a cluster that is not there or runs only in part.",
    "EXIT_USAGE": "Wrong usage: an unknown option, or a value that cannot be. Nothing was measured.",
    "EXIT_FAILED": "The measurement ran and failed, or the time limit ended it. There is a record that says so. Of `perfdb sweep`: no "
    "set-up was measured whole. Of `perfdb bisect`: fewer than two of the row run. Of `mini-slurm wait`: a job did not complete, "
    "or not in time.",
    "EXIT_INVALID": "The measurement ran and a check failed. There is a record; no comparison should use it. Of `perfdb bisect`: no "
    "change was found; the ends are alike, it stayed undecided, or all that differs is an odd one.",
    "EXIT_FAULTS": "`perfdb validate` or `perfdb contribute` found faults; `perfdb preflight` found a service not fit to be "
    "measured; `perfdb list`, `export`, `import`, `compare`, `history` or `report` left out what it could not read.",
    "EXIT_MATCHED": "`--fail-on` of `perfdb compare` or `perfdb run … --against` found such a verdict. The comparison is printed.",
    "EXIT_INTERRUPTED": "Ctrl-C, a closed terminal or SIGTERM. If a child of `perfdb run` had started, there is a record "
    "of what was measured until then. `perfdb sweep`, `perfdb bisect` and `perfdb run schedulers` keep it in a journal: the same "
    "command goes on there.",
}


def pages() -> dict[str, str]:
    """Every reference page by its file name."""
    return {
        "README.md": _page("Reference", _contents()),
        "cli.md": _page("Commands", _commands()),
        "exit-codes.md": _page("Exit codes and errors", _exit_codes()),
        "metrics.md": _page("Metrics", _metrics(FAMILIES.values())),
        "settings.md": _page("Settings", _settings()),
        **{f"{name}.schema.json": _schema(kind) for name, kind in SCHEMAS.items()},
    }


def command_paths() -> list[tuple[str, ...]]:
    """Every command that is not hidden, such as `("perfdb", "server", "start")`, and the programs themselves."""
    return [
        *_below(("perfdb",), typer.main.get_command(app)),
        ("run-parsl-perf.py",),
        *_below(("mini-slurm",), typer.main.get_command(mini_slurm_app)),
    ]


def write(folder: Path) -> None:
    """Put the pages into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


def _page(title: str, blocks: Iterable[str]) -> str:
    return "\n\n".join([f"# {title}", MADE, *blocks]) + "\n"


def _contents() -> Iterator[str]:
    yield (
        "- [Commands](cli.md): what each takes\n"
        "- [Metrics](metrics.md): what each number is\n"
        "- [Settings](settings.md): what a site or a person sets once\n"
        "- [Validity checks](../record.md#checks): what makes a run invalid, and [findings](../record.md#findings)\n"
        "- [Exit codes and errors](exit-codes.md)\n"
        "- JSON Schemas of a [record](record.schema.json), a [retraction](retraction.schema.json) and an "
        "[annotation](annotation.schema.json); `perfdb validate` asks for more than they can say"
    )


def _below(path: tuple[str, ...], command: Any) -> Iterator[tuple[str, ...]]:
    yield path
    context = typer.Context(command)
    for name in getattr(command, "list_commands", lambda _: [])(context):
        below = command.get_command(context, name)
        if not below.hidden:
            yield from _below((*path, name), below)


def _commands() -> Iterator[str]:
    yield (
        "`run-parsl-perf.py` is `perfdb run throughput`, with the run's name as a second argument. `mini-slurm` is "
        "[a batch scheduler for one machine](../how-to/mini-slurm.md)."
    )
    paths = command_paths()
    with ThreadPoolExecutor(2) as pool:
        for path, text in zip(paths, pool.map(_help, paths), strict=True):
            yield f"## {' '.join(path)}"
            yield f"```text\n{text}\n```"


def _help(path: tuple[str, ...]) -> str:
    environment = {"COLUMNS": str(COLUMNS), "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1", "TERM": "dumb", "NO_COLOR": "1"}
    command = [str(BIN / path[0]), *path[1:], "--help"]
    done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=True)
    lines = (line.rstrip() for line in done.stdout.strip().splitlines())
    return "\n".join(lines)


def _exit_codes() -> Iterator[str]:
    codes = {name: value for name, value in vars(errors).items() if name.startswith("EXIT_")}
    yield "Every command of perfdb and of mini-slurm ends with one of these."
    yield _table(("code", "meaning"), ((str(value), MEANINGS[name]) for name, value in codes.items()))
    yield "## Errors"
    yield "Each is told in one paragraph on standard error that says what is wrong, where, and what to type next."
    kinds = [kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, errors.PerfdbError)]
    rows = ((f"`{kind.__name__}`", str(kind.exit_code), inspect.getdoc(kind) or "") for kind in kinds)
    yield _table(("error", "exit code", "meaning"), rows)


def _metrics(families: Iterable[Family]) -> Iterator[str]:
    yield (
        "Direction says which way is better. A metric of one iteration carries `step` and `repetition`; any other has one "
        "value for each repetition, or one for the run. A metric that could not be measured is left out."
    )
    for family in families:
        yield from _numbers(family.name, family.metrics, family.headline)
    for kind, metrics in DEFINITIONS.items():
        if metrics is None:
            yield f"## Imported: {kind}"
            yield "Metrics of the source's own design, under the source's own names."
        else:
            yield from _numbers(f"Imported: {kind}", metrics, HEADLINES[kind])


def _numbers(title: str, metrics: Mapping[str, MetricDefinition], headline: Iterable[str]) -> Iterator[str]:
    yield f"## {title}"
    yield "Shown first: " + ", ".join(f"`{name}`" for name in headline if not is_alike(name)) + "."
    rows = ((f"`{name}`", m.unit, m.direction, m.definition) for name, m in metrics.items() if not is_alike(name))
    yield _table(("metric", "unit", "direction", "definition"), rows)
    if any(map(is_alike, metrics)):
        yield (
            "The other arms, up to `arm6`, have the same, and `simulated_` stands before each that a simulated arm has part "
            "in: it was not measured."
        )


def is_alike(metric: str) -> bool:
    """Whether it is one of another arm, or of a simulated one, whose definition says nothing that another's has not said."""
    return re.match(r"simulated_|arm([3-6]_|2_(?!less_))", metric) is not None


def _settings() -> Iterator[str]:
    yield (
        f"A flag counts before a variable, a variable before `{SETTINGS_FILE}`, and that before the default. "
        f"`{SETTINGS_FILE}` is read from the folder `PERFDB_ROOT`; where that is not set, from the nearest folder, at or above "
        "the current one, that holds such a file or is a git checkout. `root` itself can't be set in it. Relative paths count "
        "from `root`."
    )
    yield _table(
        ("variable", f"in `{SETTINGS_FILE}`", "default", "meaning"),
        (
            (
                f"`PERFDB_{name.upper()}`",
                "" if name == "root" else f"`{name}`",
                _default(field),
                field.description or "",
            )
            for name, field in Settings.model_fields.items()
        ),
    )
    yield (
        "`MLFLOW_TRACKING_URI` is honoured: set, records are shown there; unset, in a local database. MLflow's own variables "
        "for signing in (`MLFLOW_TRACKING_USERNAME`, `MLFLOW_TRACKING_PASSWORD`, `MLFLOW_TRACKING_TOKEN`) work too.\n\n"
        "`PERFDB_SITE_…` variables belong to the [configs](../../parsl-configs/README.md#site-values)."
    )


def _default(field: Any) -> str:
    return "" if field.is_required() or field.default is None else f"`{field.default}`"


def _schema(kind: type[BaseModel]) -> str:
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(dialect | kind.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    def line(cells: Iterable[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    return "\n".join([line(head), "|" + "---|" * len(head), *map(line, rows)])


if __name__ == "__main__":
    write(REFERENCE)
