"""`perfdb reproduce ID`."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from perfdb.cli.records import AsJson, RecordId
from perfdb.cli.render_history import aligned
from perfdb.cli.terminal import delivering, print_json, printable
from perfdb.errors import EXIT_INTERRUPTED, STATUS_EXITS
from perfdb.units import quantity

if TYPE_CHECKING:
    from perfdb.campaigns.reproduce import Beside
    from perfdb.compare.comparison import Difference
    from perfdb.families import Family
    from perfdb.record import Record
    from perfdb.runner import Outcome

HONEST = "two records are two sittings: load, hour and whatever else changed is in the ratio too. To tell {what}."
MOST_NAMED = 6


def reproduce(
    record_id: RecordId,
    target: Annotated[
        str | None,
        typer.Argument(
            help="What was measured, where that was no Parsl config: a service's URL, which no record keeps."
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The config that was measured; default: the one of its name in parsl-configs/."
        ),
    ] = None,
    use_kept_config: Annotated[
        bool,
        typer.Option(
            "--use-kept-config", help="Run the config that the record keeps. It is its author's code: read it."
        ),
    ] = False,
    reps: Annotated[int | None, typer.Option(min=1, max=1000, help="Another number of repetitions.")] = None,
    parsl: Annotated[
        str | None,
        typer.Option(
            metavar="VERSION|PATH|GIT-REF",
            help="The Parsl to measure, in an environment of its own; default: the record's release.",
        ),
    ] = None,
    python: Annotated[
        Path | None, typer.Option(metavar="EXE", help="Measure the Parsl of this Python instead.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What to call the new run; default: as the old one.")] = None,
    experiment: Annotated[
        str | None, typer.Option(help="The experiment to file it under; default: the record's.")
    ] = None,
    machine: Annotated[str | None, typer.Option(metavar="LABEL", help="This machine's label.")] = None,
    no_server: Annotated[
        bool, typer.Option("--no-server", help="Don't start MLflow's local pages afterwards.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Measure once more what a record measured, and tell what is unlike.

    The same config, options and Parsl release, on this machine, into a new record that names the old one. The config must be
    the very one, but for secrets: the file of its name in parsl-configs/, or one that you name. What is no config, such as a
    service, is named once more; what is unlike is told afterwards. Exit codes are those of
    `perfdb run`: 0 done, 3 failed, 4 invalid.

    \b
    Examples:
      perfdb reproduce 3f2a
      perfdb reproduce 3f2a --reps 10 --config ~/configs/slurm_hopper.py
      perfdb reproduce 3f2a --parsl ../parsl@my-branch
      perfdb reproduce 77b0 http://127.0.0.1:8000
    """
    from perfdb.campaigns.reproduce import again, check_config, config_for, target_for
    from perfdb.cli.asked import asked_for
    from perfdb.cli.terminal import Voice
    from perfdb.errors import UsageError
    from perfdb.registry import Registry
    from perfdb.registry.remarks import remarks_on
    from perfdb.runner import run
    from perfdb.runner.mirroring import RunMirror
    from perfdb.settings import expanded, load_settings

    if python is not None and parsl is not None:
        raise UsageError("--python and --parsl both say which Parsl to measure: leave one of them out.")
    if config is not None and use_kept_config:
        raise UsageError("--config and --use-kept-config both say which config to measure: leave one of them out.")
    settings = load_settings(machine=machine)
    voice = Voice()
    entry = Registry(settings.registry_path).find(record_id)
    old = entry.record
    told = again(old, reps)
    if (withdrawn := remarks_on(old.record_id, settings.registry_path).retraction) is not None:
        voice.warn(f"record {old.record_id} was withdrawn: {withdrawn.reason}")
    path = None
    measured = target_for(told, target)
    if measured is None:
        path = config_for(told, entry, settings, expanded(config) if config else None, use_kept=use_kept_config)
        measured = str(path.absolute())
        if parsl is None and python is None and told.release is None:
            raise UsageError(
                f"record {old.record_id} measured {told.measured}, which is no release that could be installed again by its "
                "number. Name it with --parsl FOLDER, FOLDER@COMMIT or git+https://…@COMMIT."
            )
    asked = asked_for(
        told.family,
        settings,
        voice,
        target=measured,
        flags=told.spec,
        spec_file=None,
        pairs=(),
        run_name=name or old.run_name,
        experiment=experiment or old.experiment,
        machine=machine,
        timeout_s=told.timeout_s,
        python=python,
        parsl=parsl or (None if python else told.release),
        overrides=old.overrides,
    )
    if path is not None:
        check_config(path, told, settings, asked.python)
    mirror = RunMirror(settings, voice, start_server=not no_server)
    outcome = run(dataclasses.replace(asked, reproduces=old.record_id), settings, voice, mirror)
    voice.done()
    with delivering(outcome.record.record_id, as_json=as_json):
        _tell(old, outcome, told.family, mirror.url, as_json=as_json)
    if outcome.record.status == "interrupted":
        sys.exit(EXIT_INTERRUPTED)
    sys.exit(STATUS_EXITS[outcome.record.status])


def _tell(old: Record, outcome: Outcome, family: Family, url: str | None, *, as_json: bool) -> None:
    from perfdb.campaigns.reproduce import differences, side_by_side
    from perfdb.cli.render import print_outcome

    new = outcome.record
    unlike = differences(old, new)
    beside = side_by_side(old, new, family.headline)
    if as_json:
        document = {
            "record": new.document(),
            "reproduces": old.record_id,
            "differences": [each.model_dump(mode="json") for each in unlike],
            "metrics": [each.model_dump(mode="json") for each in beside],
        }
        print_json(document)
        return
    print_outcome(outcome, family, url)
    for line in _lines(old, new, unlike, beside, family):
        print(printable(line))


def _lines(
    old: Record, new: Record, unlike: Sequence[Difference], beside: Sequence[Beside], family: Family
) -> Iterator[str]:
    yield ""
    yield f"against record {old.record_id} of {old.started_at:%Y-%m-%d}, {old.status}:"
    if beside:
        head = ["metric", "then", "n", "now", "n", "now / then"]
        yield from aligned([head, *(_row(each) for each in beside)])
    else:
        yield "no metric that both have."
    yield ""
    packages = [each for each in unlike if each.dimension.startswith("package.")]
    rest = [each for each in unlike if each not in packages]
    yield "unlike:" if unlike else "unlike in nothing that is recorded but the load:"
    rows = [[each.dimension, each.values[0][0][:60], "->", each.values[1][0][:60]] for each in rest]
    if packages:
        names = [each.dimension.partition(".")[2] for each in packages]
        more = ", …" if len(names) > MOST_NAMED else ""
        rows.append(["packages", f"{len(names)} of them: {', '.join(names[:MOST_NAMED])}{more}"])
    a, b = old.environment.load_at_start, new.environment.load_at_start
    if a is not None and b is not None:
        rows.append(["load at the start", f"{a.one:.2f}", "->", f"{b.one:.2f}"])
    yield from aligned([["", *row] for row in rows]) if rows else []
    if new.status != "ok" or old.status != "ok":
        yield "one of the two is not ok: its numbers are shown, and are no measure."
    yield HONEST.format(what=_in_turns(family))


def _in_turns(family: Family) -> str:
    if family.subject is None:
        return "two Parsls or configs apart, measure them in turns: perfdb run … --against"
    return "two versions of it apart, run them in turns, five times each: perfdb run … --name A, then perfdb compare"


def _row(each: Beside) -> list[str]:
    ratio = "" if each.ratio is None else f"{each.ratio:.3f}"
    now, then = quantity(each.after, each.unit), quantity(each.before, each.unit)
    return [each.metric, then, str(each.before_n), now, str(each.after_n), ratio]
