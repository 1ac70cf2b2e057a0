"""`perfdb bisect`: the release, or the commit, that changed a metric."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from perfdb.cli.completing import complete_metric
from perfdb.cli.run_options import complete_config

if TYPE_CHECKING:
    from perfdb.campaigns.bench import Bench, Step
    from perfdb.campaigns.bisect import Found
    from perfdb.campaigns.bisected import Sized
    from perfdb.campaigns.plan import Arm
    from perfdb.campaigns.revisions import Row
    from perfdb.cli.terminal import Voice
    from perfdb.families import Family
    from perfdb.settings import Settings

EXIT_NOTHING_RAN = 3
EXIT_NO_ANSWER = 4
EPILOG = (
    "Exit codes: 0 a change was found; 1 perfdb could not measure or keep; 2 wrong usage; 3 fewer than two of the row run; "
    "4 no change: the ends are alike, it stayed undecided, or all that differs is a lone odd one; 130 interrupted, and the "
    "same command again goes on."
)
# Short, and many: a step that stays undecided is measured again.
DEFAULTS = {"reps": 5, "probe": False}


def bisect(
    config: Annotated[
        str,
        typer.Argument(
            metavar="CONFIG",
            help="A Parsl config: a file, or a name in parsl-configs/.",
            autocompletion=complete_config,
        ),
    ],
    good: Annotated[str, typer.Option(metavar="V1", help="The earlier release; with --repo, revision.")],
    bad: Annotated[str, typer.Option(metavar="V2", help="The later one.")],
    repo: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Search the commits of this checkout of Parsl, not releases.")
    ] = None,
    metric: Annotated[
        str, typer.Option(help="The metric that changed; one that each repetition has.", autocompletion=complete_metric)
    ] = ("warm_tasks_per_s"),
    time: Annotated[
        float | None, typer.Option("--time", metavar="S", help="Seconds for an iteration of a repetition.")
    ] = None,
    reps: Annotated[int | None, typer.Option(min=5, help="Repetitions of each arm in a sitting (default: 5).")] = None,
    family: Annotated[str, typer.Option(help="The family of experiments.")] = "throughput",
    settings_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Another option of the family. Repeat it.")
    ] = None,
    experiment: Annotated[str | None, typer.Option(help="The experiment to file the runs under.")] = None,
    machine: Annotated[str | None, typer.Option(metavar="LABEL", help="This machine's label.")] = None,
    timeout: Annotated[
        float | None, typer.Option(metavar="S", help="Seconds for each arm of a sitting, all its turns.")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Measure anew what the same search has measured before.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Find the Parsl release, or the commit, that changed a metric.

    The row from V1 to V2 is searched by halves. In each step a candidate takes turns with both ends, and the verdict
    of `perfdb compare` says what it is like; what is not clear yet is measured again, four times at most. Each run is a
    record. A release that does not install or run is stepped around. Which way is better does not matter: a change for
    the better is found too. Of several changes all are told, and the largest is `first_bad`; a lone release unlike its
    neighbours on both sides is told as an odd one, and is no change. The same command again goes on after an
    interruption and uses what it has measured.

    \b
    Examples:
      perfdb bisect local_threads --good 2024.1.1 --bad 2024.12.2 --time 2
      perfdb bisect local_htex --good 2025.1.6 --bad 2026.1.5 --metric cold_start_s --json
      perfdb bisect local_htex --repo ../parsl --good v2026.01 --bad my-branch
    """
    from perfdb.campaigns.bench import Bench
    from perfdb.campaigns.bisect import search
    from perfdb.campaigns.bisected import Sized, document
    from perfdb.cli.meant import names_of
    from perfdb.cli.terminal import Voice, print_json
    from perfdb.registry import Registry
    from perfdb.settings import load_settings

    settings = load_settings(machine=machine)
    voice = Voice()
    chosen = _family(family, metric)
    Registry(settings.registry_path).check_writable()
    pairs = [*(settings_ or [])]
    flags = {**({"time": time} if time is not None else {}), **({"reps": reps} if reps is not None else {})}
    named = {pair.partition("=")[0].replace("-", "_") for pair in pairs}
    flags |= {
        k: v
        for k, v in DEFAULTS.items()
        if k in chosen.spec.model_fields and named.isdisjoint(names_of(chosen, k)) and k not in flags
    }
    asked: dict[str, Any] = {
        "target": config,
        "flags": flags,
        "spec_file": None,
        "pairs": pairs,
        "experiment": experiment,
        "machine": machine,
        "timeout_s": timeout,
        "python": None,
    }
    row = _row(repo, good, bad, settings, voice)
    arms = _Arms(chosen, settings, voice, asked, repo)
    memory = _memory(settings, arms.asked, chosen, machine, repo, fresh=fresh, voice=voice)
    bench = Bench(row.names, arms.arm_of, metric, settings, voice, memory)
    found = search(len(row.names), row.first, row.last, bench)
    changes = [Sized(change, bench.metric_of(bench.comparison(change))) for change in found.changes]
    voice.done()
    if as_json:
        told = document(row.names, metric, found, changes, bench.why_broken)
        print_json({**told, "steps": [_step(step) for step in bench.steps]})
    else:
        _print(row, metric, found, changes, bench)
    sys.exit({"found": 0, "broken": EXIT_NOTHING_RAN}.get(found.answer, EXIT_NO_ANSWER))


def _family(name: str, metric: str) -> Family:
    import difflib

    from perfdb.errors import UsageError
    from perfdb.families import FAMILIES

    if name not in FAMILIES:
        raise UsageError(f"there is no family {name!r}; there are {', '.join(FAMILIES)}.")
    known = FAMILIES[name].metrics
    if metric not in known:
        near = difflib.get_close_matches(metric, known, n=3, cutoff=0.5) or list(FAMILIES[name].headline)
        raise UsageError(f"--metric {metric}: {name} has no metric of that name. It has {', '.join(near)}.")
    return FAMILIES[name]


def _row(repo: Path | None, good: str, bad: str, settings: Settings, voice: Voice) -> Row:
    from perfdb.campaigns.revisions import commits_between, releases_between
    from perfdb.parsl_config.releases import releases

    if repo is not None:
        return commits_between(_checkout(repo), good, bad)
    voice.say("asking the index for Parsl's releases")
    return releases_between(releases(settings.state_path), good, bad)


def _checkout(repo: Path) -> Path:
    from perfdb.errors import UsageError
    from perfdb.gitrepo import checkout_of
    from perfdb.settings import can_be_a_path, expanded

    if not can_be_a_path(str(repo)) or not expanded(repo).is_dir() or checkout_of(expanded(repo)) is None:
        raise UsageError(f"--repo {repo}: there is no git checkout. Give the folder of one of Parsl's.")
    return expanded(repo).resolve()


class _Arms:
    """The arm of each name, made when it is first asked for, its Parsl installed."""

    def __init__(
        self, family: Family, settings: Settings, voice: Voice, asked: dict[str, Any], repo: Path | None
    ) -> None:
        self.family, self.settings, self.voice, self.asked = family, settings, voice, asked
        self._folder = "" if repo is None else f"{_checkout(repo)}@"
        self._made: dict[str, Arm] = {}

    def arm_of(self, name: str) -> Arm:
        """See `Bench`."""
        from perfdb.campaigns.bench import short
        from perfdb.cli.asked import arm_for

        if name not in self._made:
            self._made[name] = arm_for(
                self.family,
                self.settings,
                self.voice,
                short(name),
                parsl=f"{self._folder}{name}",
                run_name=f"{Path(self.asked['target']).stem}, Parsl {short(name)}",
                **self.asked,
            )
        return self._made[name]


def _memory(
    settings: Settings,
    asked: dict[str, Any],
    family: Family,
    machine: str | None,
    repo: Path | None,
    *,
    fresh: bool,
    voice: Voice,
) -> Any:
    """What the same set-up has measured before on this machine, whatever its ends were."""
    from perfdb import __version__
    from perfdb.campaigns.memory import Memory
    from perfdb.cli.found import find_config
    from perfdb.record import fingerprint, sha256_hex

    path = find_config(asked["target"], settings)
    source = sha256_hex(path.read_bytes()) if path.is_file() else ""
    alike = [__version__, family.name, str(path), source, asked["flags"], sorted(asked["pairs"]), asked["experiment"]]
    alike += [machine or settings.machine, asked["timeout_s"], str(repo.resolve()) if repo else None]
    key = fingerprint(alike)[:16]
    memory = Memory(settings.state_path / "bisect" / f"{key}.json", settings.registry_path)
    if memory.sittings and fresh:
        memory.forget()
    elif memory.sittings:
        voice.say(f"{len(memory.sittings)} sittings of the same set-up are used again (--fresh measures anew)")
    return memory


def _step(step: Step) -> dict[str, Any]:
    return {
        "names": list(step.names),
        "candidate": step.candidate,
        "answer": step.answer,
        "records": {name: list(ids) for name, ids in step.records.items()},
        "comparisons": [comparison.model_dump(mode="json") for comparison in step.comparisons],
    }


def _print(row: Row, metric: str, found: Found, changes: list[Sized], bench: Bench) -> None:
    from perfdb.campaigns.bench import short
    from perfdb.campaigns.bisected import in_words
    from perfdb.cli.terminal import printable

    print(printable(in_words(row.names, metric, found, changes)))
    if found.broken:
        print("\nStepped around, for they do not run:")
        for place in found.broken:
            print(printable(f"  {row.names[place]}: {bench.why_broken.get(place, '')[:300]}"))
    print("\nWhat it rests on:")
    for step in bench.steps:
        asked = f"{short(step.candidate)} is like" if step.candidate else "the ends"
        answer = {"first": "the earlier side", "last": "the later side", "differ": "differ", "alike": "are alike"}
        print(printable(f"  {' | '.join(map(short, step.names))}: {asked} {answer.get(step.answer, step.answer)}"))
        for name, ids in step.records.items():
            print(printable(f"    {short(name)}: {', '.join(ids)}"))
