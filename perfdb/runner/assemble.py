"""From a journal to a record and its files: the same way at a run's end and after a crash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from perfdb import __version__
from perfdb.capture.machine import machine_fingerprint
from perfdb.errors import RegistryError
from perfdb.families import FAMILIES, ChildRun, Measurements, Setup
from perfdb.parsl_config import ConfigDescription
from perfdb.platforms import Job
from perfdb.processes.log import ChildLog, read_log
from perfdb.record import Artifact, Code, ConfigRef, Environment, Load, Record, SampleFile, Sitting, sha256_hex
from perfdb.registry import Journal
from perfdb.registry.samples import to_parquet
from perfdb.registry.store import SAMPLES_FILE
from perfdb.runner.child_files import artifacts_of, files_of
from perfdb.runner.clipping import clipped
from perfdb.runner.jobs_file import JOBS_FILE, jobs_file, under_pseudonyms
from perfdb.runner.request import RunRequest

SITTING = "sitting.json"
REFUSED = "refused.json"
STOPPED = "stopped.json"
LONGEST_REASON = 4000
# Of all logs together. Whoever checks a contribution searches every byte for secrets; numbers were read before this cut.
LOG_BYTES = 320 * 1024
LONGEST_LINE = 1000
Model = TypeVar("Model", bound=BaseModel)


def record_of(journal: Journal) -> tuple[Record, dict[str, bytes], Setup | None]:
    """The record that the journal supports, the files that go with it, and the set-up if it got that far.

    Raises:
        RegistryError: the journal lacks even the request, or was written by another perfdb.
    """
    request, setup = request_of(journal), setup_of(journal)
    family = FAMILIES[request.family]
    spec = _understood(journal, family.spec, request.spec)
    runs = child_runs(journal)
    measured = family.assemble(spec, setup, [under_pseudonyms(run, request.host_key) for run in runs])
    if (refused := journal.read(REFUSED)) is not None:
        measured = replace(measured, status="failed", reason=str(refused["reason"]))
    elif (stopped := journal.read(STOPPED)) is not None and measured.status == "interrupted":
        # No child's log tells it: the time was up between two of them.
        measured = replace(measured, status="timeout", reason=str(stopped["reason"]))
    elif journal.read("end.json") is None and measured.status in ("ok", "invalid"):
        # All was measured, but the run was cut off before it could be closed: not one to compare with.
        measured = replace(measured, status="interrupted", reason="perfdb was killed before it could close the run")
    samples = to_parquet(measured.samples) if measured.samples else None
    share = LOG_BYTES // max(1, len(runs))
    artifacts = {f"artifacts/{run.log.name}.log": clipped(_readable(run.log), share) for run in runs}
    if setup is not None:
        artifacts["artifacts/config.py"] = setup.config.source.encode()
    artifacts |= artifacts_of(runs)
    if (jobs := jobs_file(runs, request.host_key)) is not None:
        artifacts[JOBS_FILE] = jobs
    sitting = _sitting(journal, len(runs))
    record = _seal(request, setup, measured, samples, artifacts, _ending(journal, request, runs), sitting)
    return record, {**artifacts, **({SAMPLES_FILE: samples} if samples is not None else {})}, setup


def _sitting(journal: Journal, children: int) -> Sitting | None:
    """Whom it took turns with. A child that was cut off and done again has one turn, the last."""
    told = journal.read(SITTING)
    return Sitting(uuid=told["uuid"], turns=tuple(told["turns"][:children])) if told is not None else None


def _readable(log: ChildLog) -> bytes:
    """The log, with long lines cut: they are a program's tables, and what was in them is in the samples."""
    texts = (line.text for line in log.lines)
    return "".join(f"{_cut(text)}\n" for text in texts).encode()


def _cut(text: str) -> str:
    if len(text) <= LONGEST_LINE:
        return text
    left_out = len(text) - LONGEST_LINE
    return f"{text[: LONGEST_LINE // 2]} [perfdb: {left_out} characters left out here] {text[-LONGEST_LINE // 2 :]}"


def child_runs(journal: Journal) -> tuple[ChildRun, ...]:
    """Every child that was started, with its jobs and files as far as they are known."""
    return tuple(
        ChildRun(read_log(path), _jobs(journal, path.stem), files_of(journal, path.stem))
        for path in journal.log_paths()
    )


def _jobs(journal: Journal, child: str) -> tuple[Job, ...]:
    told = journal.read(f"logs/{child}.jobs")
    if told is None:
        return ()
    if not isinstance(told, list):
        raise _damaged(journal, f"logs/{child}.jobs is no list of jobs")
    return tuple(_understood(journal, Job, document) for document in told)


def request_of(journal: Journal) -> RunRequest:
    """What was asked for.

    Raises:
        RegistryError: it is not there, or this perfdb does not understand it.
    """
    request = _understood(journal, RunRequest, journal.read("request.json"))
    if request.family not in FAMILIES:
        raise _damaged(journal, f"this perfdb knows no family {request.family!r}")
    return request


def setup_of(journal: Journal) -> Setup | None:
    """The described config and the host; None where the run did not get that far.

    Raises:
        RegistryError: this perfdb does not understand it.
    """
    document = journal.read("setup.json")
    return None if document is None else _understood(journal, Setup, document)


def _understood(journal: Journal, model: type[Model], document: Any) -> Model:
    try:
        return model.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        what = ".".join(str(part) for part in first["loc"]) or model.__name__
        raise _damaged(journal, f"{what}: {first['msg']}") from error


def _damaged(journal: Journal, why: str) -> RegistryError:
    return RegistryError(
        f"the journal {journal.path} is damaged or another perfdb's: {why}. Finish it with the perfdb that began it, or "
        "give it up: remove that folder."
    )


def _ending(journal: Journal, request: RunRequest, runs: tuple[ChildRun, ...]) -> dict[str, Any]:
    """When it ended; after a crash, when its last child was last heard of."""
    if (end := journal.read("end.json")) is not None:
        return dict(end)
    ended_at = request.started_at
    for run in runs:
        if run.log.started_at is not None:
            ended_at = max(ended_at, datetime.fromisoformat(run.log.started_at) + timedelta(seconds=run.log.exit.t))
    return {"ended_at": ended_at, "duration_s": (ended_at - request.started_at).total_seconds(), "load": None}


def _seal(
    request: RunRequest,
    setup: Setup | None,
    measured: Measurements,
    samples: bytes | None,
    artifacts: Mapping[str, bytes],
    ending: Mapping[str, Any],
    sitting: Sitting | None,
) -> Record:
    config = setup.config if setup else None
    unkept = FAMILIES[request.family].unkept
    spec = {name: value if value is None else unkept.get(name, value) for name, value in request.spec.items()}
    if request.timeout_s is not None:
        spec["timeout_s"] = request.timeout_s
    return Record.seal(
        family=request.family,
        experiment=request.experiment,
        run_name=request.run_name,
        status=measured.status,
        reason=measured.reason[:LONGEST_REASON] if measured.reason else None,
        started_at=request.started_at.astimezone(UTC),
        ended_at=ending["ended_at"],
        duration_s=ending["duration_s"],
        spec=spec,
        params=config.params if config else {},
        config=_config_ref(config),
        environment=Environment(
            machine=request.machine,
            machine_fingerprint=machine_fingerprint(setup.host) if setup else None,
            submit_host=setup.host if setup else None,
            workers=measured.workers,
            scheduler=request.scheduler,
            scheduler_version=request.scheduler_version,
            scheduler_settings=request.scheduler_settings,
            load_at_start=Load.model_validate(request.load_at_start) if request.load_at_start else None,
            load_at_end=Load.model_validate(ending["load"]) if ending["load"] else None,
        ),
        code=Code(
            perfdb_version=__version__,
            perfdb_commit=request.commit,
            perfdb_dirty=request.dirty,
            measured={**_measured(request, config), **measured.versions},
        ),
        metrics=measured.metrics,
        checks=measured.checks,
        findings=measured.findings,
        samples=_sample_files(samples, measured),
        artifacts=tuple(
            Artifact(file=name, sha256=sha256_hex(data), bytes=len(data)) for name, data in sorted(artifacts.items())
        ),
        overrides=(config.overrides or None) if config else None,
        sitting=sitting,
        reproduces=request.reproduces,
    )


def _config_ref(config: ConfigDescription | None) -> ConfigRef | None:
    if config is None:
        return None
    return ConfigRef(name=config.name, source_sha256=config.source_sha256, fingerprint=config.fingerprint)


def _measured(request: RunRequest, config: ConfigDescription | None) -> dict[str, str]:
    found = {"parsl": config.packages.get("parsl", config.parsl_version)} if config and config.parsl_version else {}
    if config is None and request.release is not None:  # it could not even be asked what it is
        found["parsl"] = request.release
    if request.parsl is not None:
        found["parsl_source"] = request.parsl
    return found


def _sample_files(samples: bytes | None, measured: Measurements) -> tuple[SampleFile, ...]:
    if samples is None:
        return ()
    columns = tuple(measured.samples)
    rows = len(measured.samples[columns[0]])
    return (SampleFile(file=SAMPLES_FILE, sha256=sha256_hex(samples), bytes=len(samples), rows=rows, columns=columns),)
