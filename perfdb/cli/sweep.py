"""`perfdb sweep`: a matrix of set-ups, measured in turns."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from perfdb.cli.completing import complete_family
from perfdb.cli.run_options import complete_config
from perfdb.errors import STATUS_EXITS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perfdb.campaigns.plan import Arm
    from perfdb.campaigns.sitting import Place
    from perfdb.campaigns.sweep import Cell
    from perfdb.cli.terminal import Voice
    from perfdb.families import Family
    from perfdb.settings import Settings

MATRIX = "The matrix: every combination of these"
Configs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="CONFIG…", help="Parsl configs: files, or names in parsl-configs/.", autocompletion=complete_config
    ),
]
Parsls = Annotated[
    list[str] | None,
    typer.Option(
        "--parsl",
        metavar="WHICH",
        help="A Parsl, each in an environment of its own: 2025.8.4, ../parsl, ../parsl@branch, git+https://…@ref; or releases: "
        "2023.10.16..2026.10.26 (all of them), 2023.10.16..2026.10.26/24 (24 of them, evenly spaced). Repeat it.",
        rich_help_panel=MATRIX,
    ),
]
Vary = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=A,B,…",
        help="Values of an option of the family (argsize=0,1000000) or of a param of the config (blocks=1,2,4, workers=1,2, "
        "nodes=1,2, provider.max_blocks=…). Repeat it.",
        rich_help_panel=MATRIX,
    ),
]


TO_GO_ON = "Type the same command again to go on from there, or `perfdb sweep --drop` to make records of what there is."


def sweep(
    configs: Configs = None,
    parsl: Parsls = None,
    vary: Vary = None,
    family: Annotated[
        str, typer.Option(help="The family of experiments.", autocompletion=complete_family)
    ] = "throughput",
    reps: Annotated[int | None, typer.Option(min=1, help="Repetitions of each set-up, in as many rounds.")] = None,
    settings_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="An option of the family, the same for all. Repeat it."),
    ] = None,
    experiment: Annotated[str | None, typer.Option(help="The experiment to file it under.")] = None,
    machine: Annotated[str | None, typer.Option(metavar="LABEL", help="This machine's label.")] = None,
    timeout: Annotated[float | None, typer.Option(metavar="S", help="Seconds for each set-up, all its turns.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be measured.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin anew where the same sweep was interrupted.")] = False,
    drop: Annotated[
        bool, typer.Option("--drop", help="Give interrupted sweeps up: what they measured becomes records.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Measure a matrix of set-ups in turns.

    Every round measures one repetition of each set-up, forth and back, so that what comes and goes on the machine
    comes to all of them alike. Each set-up gives one record; one that does not install or run gives a failed record.
    The same command again goes on where an interrupted one stopped. Exit code 0 if any set-up was measured whole, else 4
    if any ran and is invalid, else 3.

    \b
    Examples:
      perfdb sweep local_threads local_htex --parsl 2024.1.1..2026.10.26/12 --reps 5 --set time=2
      perfdb sweep slurm_hopper --vary blocks=1,2,4,8 --reps 10
      perfdb sweep local_htex --vary workers=1,2,4 --vary argsize=0,100000 --dry-run
      perfdb sweep --drop
    """
    from perfdb.campaigns.sweep import cells
    from perfdb.cli.going_on import drop_all
    from perfdb.cli.sweep_charts import draw
    from perfdb.cli.terminal import Voice, print_json
    from perfdb.errors import UsageError
    from perfdb.families import FAMILIES
    from perfdb.settings import load_settings

    settings = load_settings(machine=machine)
    voice = Voice()
    if drop:
        drop_all(settings, voice, as_json=as_json)
        return
    if not configs:
        raise UsageError("name at least one config: `perfdb sweep local_threads --vary workers=1,2`.")
    if family not in FAMILIES:
        raise UsageError(f"there is no family {family!r}; there are {', '.join(FAMILIES)}.")
    chosen = FAMILIES[family]
    matrix = cells(
        list(dict.fromkeys(configs)),
        _releases(parsl or [], settings, voice),
        _varied(vary or []),
        frozenset(chosen.spec.model_fields),
    )
    pairs = [*(settings_ or []), *([f"reps={reps}"] if reps is not None else [])]
    if dry_run:
        _tell_matrix(matrix, as_json=as_json)
        return
    arms = _arms(chosen, matrix, settings, voice, pairs, experiment, machine, timeout)
    places = _measure(arms, settings, voice, fresh=fresh)
    voice.done()
    if as_json:
        print_json([_document(place) for place in places])
    else:
        _print(places, chosen)
        sys.stdout.flush()
    folder = settings.state_path / "charts" / f"sweep-{places[0].seat.run[:8]}"
    draw([place.outcome.record for place in places if place.outcome], chosen, folder, voice)
    worst = [STATUS_EXITS.get(p.outcome.record.status, 3) for p in places if p.outcome is not None]
    sys.exit(0 if 0 in worst else max(worst))


def _releases(asked: Sequence[str], settings: Settings, voice: Voice) -> list[str]:
    """Ranges of releases as releases; the rest as typed."""
    from perfdb.parsl_config.install import is_release
    from perfdb.parsl_config.releases import expand_releases, releases

    found: list[str] = []
    for text in asked:
        first, dots, last = text.partition("..")
        if dots and is_release(first) and is_release(last.partition("/")[0]):
            voice.say("asking the index for Parsl's releases")
            found += expand_releases(text, releases(settings.state_path))
        else:
            found.append(text)
    return list(dict.fromkeys(found))


def _varied(pairs: Sequence[str]) -> dict[str, list[str]]:
    from perfdb.errors import UsageError

    found: dict[str, list[str]] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        name = name.replace("-", "_")
        values = [value.strip() for value in text.split(",") if value.strip()]
        if not equals or not name or not values:
            raise UsageError(f"--vary {pair!r} is not NAME=A,B,…: type, for example, --vary workers=1,2,4.")
        if name in found:
            raise UsageError(f"--vary {name} is there twice: put all its values behind one, --vary {name}=A,B,….")
        found[name] = list(dict.fromkeys(values))
    return found


def _tell_matrix(matrix: Sequence[Cell], *, as_json: bool) -> None:
    from dataclasses import asdict

    from perfdb.campaigns.sweep import labels
    from perfdb.cli.terminal import print_json
    from perfdb.units import counted

    if as_json:
        print_json([asdict(cell) for cell in matrix])
        return
    for label in labels(matrix):
        print(label)
    print(f"{counted(len(matrix), 'set-up')}.")


def _arms(
    family: Family,
    matrix: Sequence[Cell],
    settings: Settings,
    voice: Voice,
    pairs: Sequence[str],
    experiment: str | None,
    machine: str | None,
    timeout_s: float | None,
) -> list[Arm]:
    """The matrix's set-ups, every Parsl installed before the first of them is measured."""
    from perfdb.campaigns.sweep import labels
    from perfdb.cli.asked import arm_for

    found = []
    for cell, label in zip(matrix, labels(matrix), strict=True):
        found.append(
            arm_for(
                family,
                settings,
                voice,
                label,
                target=cell.config,
                flags=cell.spec,
                spec_file=None,
                pairs=pairs,
                run_name=label,
                experiment=experiment,
                machine=machine,
                timeout_s=timeout_s,
                python=None,
                parsl=cell.parsl,
                overrides=cell.overrides,
            )
        )
    return found


def _measure(arms: Sequence[Arm], settings: Settings, voice: Voice, *, fresh: bool) -> list[Place]:
    from perfdb.campaigns.carry_out import carry_out
    from perfdb.campaigns.plan import plan_for
    from perfdb.cli.going_on import begun_or_new

    plan = begun_or_new(plan_for(arms, settings), settings, voice, fresh=fresh)
    return carry_out(plan, settings, voice, to_go_on=TO_GO_ON)


def _document(place: Place) -> Mapping[str, object]:
    assert place.outcome is not None
    return {"label": place.seat.label, "turns": place.turns, "record": place.outcome.record.document()}


def _print(places: Sequence[Place], family: Family) -> None:
    from perfdb.cli.render import print_arms

    print_arms([(place.seat.label, place.outcome.record) for place in places if place.outcome], family)
