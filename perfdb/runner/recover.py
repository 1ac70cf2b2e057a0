"""What killed runs left behind: their processes are ended, their cluster jobs cancelled, their records made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from perfdb.errors import PerfdbError, RegistryError
from perfdb.platforms.cancel import cancel_jobs, submitted_jobs
from perfdb.processes.lock import Lock
from perfdb.processes.tree import end_run
from perfdb.registry import Journal, abandoned_journals
from perfdb.registry.journal import WAITS, waits
from perfdb.registry.store import read_record
from perfdb.runner.assemble import REFUSED, request_of, setup_of
from perfdb.runner.outputs import write_outputs
from perfdb.runner.run import keep
from perfdb.settings import Settings

PATIENCE_S = 30.0


@dataclass(frozen=True)
class Recovered:
    """One abandoned journal.

    Attributes:
        journal: It stays until its record is in MLflow; whoever calls removes it then.
        record_id: The record, None where `trouble` kept it from being made.
        filed: Whether the record was made just now; else only MLflow still lacked it.
        trouble: Why there is no record.
    """

    journal: Journal
    record_id: str | None
    filed: bool
    trouble: PerfdbError | None = None


def recover(settings: Settings) -> Iterator[Recovered]:
    """Finish every abandoned run of this host, one after another."""
    with Lock(settings.state_path / "locks" / "recover", wait_s=PATIENCE_S * 2):
        for journal in abandoned_journals(settings.state_path):
            if waits(journal, settings.state_path):
                continue
            if journal.read(WAITS) is not None and not journal.log_paths() and journal.read(REFUSED) is None:
                journal.remove()  # of a sitting that was given up before this run had its first turn
                continue
            try:
                end_what_runs(journal)
                journal.adopt()
                recorded = journal.read("recorded.json")
                if recorded:
                    _write_missing_outputs(journal, Path(recorded["folder"]))
                record_id = recorded["record_id"] if recorded else keep(journal, settings).record.record_id
                yield Recovered(journal, record_id, filed=recorded is None)
            except (KeyError, TypeError, ValueError) as error:
                # Its files were cut off or changed by hand: the other runs are filed all the same.
                damaged = RegistryError(
                    f"the journal {journal.path} is damaged ({type(error).__name__}: {error}). There is no record to be made "
                    "of it; look into it, then remove that folder."
                )
                yield Recovered(journal, None, filed=False, trouble=damaged)
            except PerfdbError as error:
                yield Recovered(journal, None, filed=False, trouble=error)


def _write_missing_outputs(journal: Journal, folder: Path) -> None:
    """Of a run whose record was made, and that was cut off, or had no room, when it came to its other files."""
    request = request_of(journal)
    if request.output_dir is not None:
        write_outputs(request, read_record(folder / "record.json"), journal)


def end_what_runs(journal: Journal) -> None:
    """End the processes and cancel the cluster jobs that a killed run left.

    Raises:
        PerfdbError: some of them do not end; says how to see to it.
    """
    if not end_run(journal.run, grace_s=2.0, patience_s=PATIENCE_S):
        raise PerfdbError(
            f"processes of the killed run {journal.run} do not end. `ps eww -A | grep {journal.run}` shows them; end them, "
            "then try `perfdb sync` again."
        )
    setup = setup_of(journal)
    if setup is None:
        return
    providers = tuple(sorted({e.provider_class for e in setup.config.executors if e.provider_class}))
    work = request_of(journal).work_path / journal.run
    for run_dir in sorted(work.glob("*")):
        if left := cancel_jobs(submitted_jobs(run_dir, providers), old=True):
            ids = ", ".join(job_id for each in left for job_id in each.job_ids)
            raise PerfdbError(
                f"cluster jobs of the killed run {journal.run} could not be cancelled: {ids}. Is the scheduler there? "
                "`perfdb sync` tries again; cancel them by hand if it does not come back."
            )
    _ask_for_times(journal, providers, work)


def _ask_for_times(journal: Journal, providers: tuple[str, ...], work: Path) -> None:
    """What the batch system still knows of the jobs of children whose end nobody of us saw."""
    for log in journal.log_paths():
        name = f"logs/{log.stem}.jobs"
        if journal.read(name) is None:
            run_dir = work / log.stem.partition("-")[2]
            submitted = submitted_jobs(run_dir, providers)
            # Their cluster may have been made anew meanwhile, and given their ids to others.
            jobs = [job for each in submitted for job in each.platform.times_of(each.job_ids, each.names)]
            if jobs:
                journal.write(name, [job.model_dump(mode="json") for job in jobs])
