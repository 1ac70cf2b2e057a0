"""The loads of scaling records: found in the registry, as runs, and as a picture of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perfdb.errors import UsageError
from perfdb.units import counted, duration

if TYPE_CHECKING:
    from perfdb.cli.sampled import Chosen
    from perfdb.cli.terminal import Voice
    from perfdb.families.charts import Picture
    from perfdb.families.scaling.analysis.deployments import AtWait, Measured
    from perfdb.record import Record
    from perfdb.registry.validator.parquet import ParquetReader

FAMILY = "scaling"
EXAMPLE = "perfdb serve lean --port 8000 in one shell, perfdb run scaling http://127.0.0.1:8000 in another"
_PICTURES = {
    "throughput": "throughput",
    "latency": "latency-against-load",
    "success": "grid-success",
    "p99": "grid-p99",
    "hosts": "hosts",
}
_NEED = {
    "throughput": "two loads of one wait",
    "latency": "two loads of one wait",
    "success": "two loads, or two waits",
    "p99": "two loads, or two waits",
    "hosts": "two hosts, or --expected-hosts 2 or more",
}


@dataclass(frozen=True)
class Loads:
    """Runs, oldest first, and the ids of the records that do not count, by why."""

    runs: tuple[Measured, ...]
    left_out: dict[str, list[str]]


def found_loads(
    words: Sequence[str], single: Sequence[str], multi: Sequence[str], hosts: int | None, voice: Voice
) -> Loads:
    """The runs that these words name.

    Args:
        words: Ids, machines or queries; none, here and in the next two, for every scaling record.
        single: Those of one host, to be taken together.
        multi: Those of several hosts, to be set against the former.
        hosts: How many those are, in place of what the records say.

    Raises:
        UsageError: a word names no such record, none is left that counts, or they can't be set against one another.
    """
    from perfdb.families.scaling.analysis.deployments import together

    if not single and not multi:
        if hosts is not None:
            raise UsageError("--hosts says how many hosts served the records of --multi: name them with it.")
        return _measured(words, voice)
    if words or not single or not multi:
        raise UsageError(
            "name one host's records and several hosts' by --single and --multi, both of them, and no others: "
            "perfdb scaling analyze --single ID --multi ID"
        )
    one, many = _measured(single, voice), _measured(multi, voice)
    left = {why: [*one.left_out.get(why, ()), *many.left_out.get(why, ())] for why in {**one.left_out, **many.left_out}}
    several = [run if hosts is None else run.model_copy(update={"hosts": hosts}) for run in many.runs]
    _must_be(one.runs, several)
    return Loads((*together(one.runs), *together(several)), left)


def _must_be(one: Sequence[Measured], many: Sequence[Measured]) -> None:
    """Raises UsageError where these are not one host's runs, and several hosts' of the same kind."""
    for run in one:
        if run.hosts != 1:
            raise UsageError(
                f"--single {run.records[0]}: {run.hosts} hosts served it. Name a run against one host, whose URL is that host's "
                "own and not a balancer's."
            )
    for run in many:
        if run.hosts == 1:
            raise UsageError(
                f"--multi {run.records[0]}: one host served it, as far as it says. If several should have, say how many with "
                "--hosts N: where only one of them answered, nothing about several was measured (was the URL the balancer's?)."
            )
    if both := {record for run in one for record in run.records} & {record for run in many for record in run.records}:
        raise UsageError(f"{', '.join(sorted(both))} is on both sides: name each record once.")
    for flag, runs in (("--single", one), ("--multi", many)):
        judged: dict[tuple[str, int], Measured] = {}
        for run in runs:
            first = judged.setdefault((run.kind, run.hosts), run)
            if first.criterion != run.criterion:
                wait_s = min(cell.wait_s for cell in run.cells)
                raise UsageError(
                    f"{flag}: {first.records[0]} and {run.records[0]} were judged apart, so they are not to be taken together: wait "
                    f"{wait_s:g} s, {first.criterion.text(wait_s)}; against {run.criterion.text(wait_s)}. Name those of one criterion."
                )
    kinds = {run.kind for run in one}, {run.kind for run in many}
    if not kinds[0] & kinds[1]:
        told = "; against ".join(" and ".join(sorted(each)) for each in kinds)
        raise UsageError(
            f"these were not loaded alike, so a factor would say nothing: {told}. Measure both sides in one way, from one "
            "machine; what was imported is set against what was imported only."
        )


def _measured(words: Sequence[str], voice: Voice) -> Loads:
    from perfdb.cli.sampled import chosen
    from perfdb.families.scaling.analysis import imported
    from perfdb.registry.validator.parquet import ParquetReader

    found = chosen(FAMILY, words, EXAMPLE, voice, imported=True)
    counting = [run.record for run in found.counted.runs]
    # Of what was imported a load that nothing came through is a record that failed, and the ceiling lies below it.
    lost = [run.record for run in found.counted.left_out.get("failed", ()) if run.record.origin.kind == "imported"]
    for record in lost:
        found.left_out["failed"].remove(record.record_id)
    strangers, left = imported.runs_of([r for r in (*counting, *lost) if r.origin.kind == "imported"])
    for why, ids in left.items():
        found.left_out.setdefault(why, []).extend(ids)
    with ParquetReader() as reader:
        ours = [run for record in counting if record.origin.kind == "measured" and (run := _run(record, found, reader))]
    left_out = {why: ids for why, ids in found.left_out.items() if ids}
    if not ours and not strangers:
        raise found.none_counts()
    return Loads((*ours, *strangers), left_out)


def _run(record: Record, found: Chosen, reader: ParquetReader) -> Measured | None:
    from pydantic import ValidationError

    from perfdb.families.scaling.runs import measured

    if (columns := found.samples_of(record, reader)) is None:
        return None
    try:
        return measured(record, columns)
    except ValidationError:
        found.left_out.setdefault("asked for what no run can be asked for", []).append(record.record_id)
        return None


def picture_of(
    runs: Sequence[Measured], against: Sequence[AtWait], chart: str, wait_s: float | None
) -> tuple[Picture, list[str]]:
    """What `--chart` asks for, and what is to be told below its title.

    Raises:
        UsageError: these records have nothing of that.
    """
    from perfdb.families.scaling.charts import of_hosts, of_loads, of_more_hosts

    if wait_s is not None and chart != "latency":
        raise UsageError("--wait chooses what --chart latency shows: leave it out, or add that.")
    if chart == "curve":
        kinds = list(dict.fromkeys(one.kind for one in against))
        if not kinds:
            raise UsageError(
                "a curve of ceilings against hosts takes runs of one kind on one host and on several. Measure both, or choose "
                f"another picture of one run with --chart {', '.join(_PICTURES)}."
            )
        picture = of_more_hosts([one for one in against if one.kind == kinds[-1]], runs)
        if picture is None:
            raise UsageError(
                f"no ceiling is known to draw, of {kinds[-1]}: already the smallest load failed, on one host and on several. Measure "
                "smaller ones: perfdb run scaling URL --requests-grid 1,2,4,8"
            )
        records = [
            record for one in against if one.kind == kinds[-1] for side in one.sides.values() for record in side.records
        ]
        return picture, [f"{kinds[-1]}; records {', '.join(dict.fromkeys(records))}."]
    run = runs[-1]
    if len(runs) > 1:
        named = ", ".join(one.records[0] for one in runs)
        raise UsageError(f"--chart {chart} is of one run, and these are {len(runs)}: {named}. Name one of them.")
    found = [*of_loads(run.cells, run.criterion, run.unit, run.latency_of), *of_hosts(run.sessions, run.hosts)]
    wanted = [picture for picture in found if picture.name.startswith(_PICTURES[chart])]
    if wait_s is not None:
        wanted = [picture for picture in wanted if picture.title.endswith(f"wait {duration(wait_s)}")]
    if not wanted:
        at = f" of wait {duration(wait_s)}" if wait_s is not None else ""
        raise UsageError(f"--chart {chart} takes {_NEED[chart]}, and record {run.records[0]} has no such{at}.")
    return wanted[0], [f"{run.name}, {counted(run.hosts, 'host')}; records {', '.join(run.records)}."]
