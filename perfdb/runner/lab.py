"""The lab: runs a family's children one after another, each below a supervisor, each with its log in the journal."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from perfdb.errors import RegistryError
from perfdb.families import ChildRun, Family, Program, Setup
from perfdb.platforms import Job, Platform, platforms_for
from perfdb.platforms.cancel import cancel_jobs, submitted_jobs
from perfdb.processes.log import Line, read_log
from perfdb.processes.supervised import ChildJob, Supervised
from perfdb.processes.tree import MARKER, end_run
from perfdb.record import Scalar
from perfdb.redaction import Identity, Redactor
from perfdb.registry import Journal
from perfdb.registry.durable import cannot_write
from perfdb.runner.assemble import STOPPED
from perfdb.runner.child_files import keep_files
from perfdb.runner.companion import Companion
from perfdb.runner.leftovers import end_left, keep_left
from perfdb.runner.request import RunRequest
from perfdb.runner.waiting import wait_until
from perfdb.units import counted


class Observer(Protocol):
    """Somebody who likes to know how it goes. Called between sleeps, so it must be quick."""

    tick_s: float | None

    def say(self, text: str) -> None:
        """A step that is worth a line."""

    def progress(self, child: str, text: str) -> None:
        """What a child just told."""

    def tick(self) -> None:
        """`tick_s` seconds of silence have passed."""


class MeasurementStopped(Exception):
    """The whole measurement is over: interrupted, or out of time. What was measured is in the journal."""


@dataclass
class SupervisedLab:
    """See `perfdb.families.Lab`. `run` raises whatever ends the whole measurement: Ctrl-C, the time limit."""

    request: RunRequest
    journal: Journal
    family: Family
    setup: Setup
    observer: Observer
    deadline: float | None  # on time.monotonic()
    before_first: Callable[[], None]
    interrupted: bool = False
    _companion: Companion | None = None

    @property
    def target(self) -> str:
        """What is under test, as it was typed; the file of a Parsl config."""
        return self.request.target

    @property
    def python(self) -> Path:
        """The Python whose Parsl is measured."""
        return self.request.python

    @property
    def host_key(self) -> str:
        """What workers make their pseudonyms from."""
        return self.request.host_key

    def run(self, program: Program) -> ChildRun:
        """Run one child to its end, then see to the cluster jobs it submitted.

        Raises:
            MeasurementStopped: it was interrupted or ran out of time.
        """
        self._check_time_left(program)
        if not self.journal.log_paths():
            for trouble in end_left(self._state_path, self.observer.say):
                self.observer.say(trouble)
            self.before_first()
        if program.begin_when == "released":
            self._await_release(program)
        beside = self._beside(program.beside)
        remaining = self._check_time_left(program)
        log_path = self.journal.new_log(program.name)
        run_dir = self._run_dir(program)
        self._follow(program, self._job(program, run_dir, remaining, beside), log_path)
        log = read_log(log_path)
        if log.exit.reason == "lost":  # the supervisor itself was killed: nobody else is left to end its child
            end_run(self.journal.run, grace_s=2.0, patience_s=30.0)
        jobs = self._jobs(run_dir, program.settle_s)
        with contextlib.suppress(RegistryError):  # a full disk costs the wait in the queue, not the run
            self.journal.write(f"logs/{log_path.stem}.jobs", [job.model_dump(mode="json") for job in jobs])
        keep_files(run_dir, self.journal, log_path.stem, self._redactor)
        if self.interrupted or log.exit.reason != "ended":
            raise MeasurementStopped
        return ChildRun(log, jobs)

    def close(self) -> None:
        """End what runs beside the children, and see to its cluster jobs. Safe to call more than once."""
        companion, self._companion = self._companion, None
        if companion is not None:
            companion.end()
            self._jobs(companion.run_dir, settle_s=0.0)

    def _beside(self, program: Program | None) -> dict[str, str]:
        """Have this program run beside the next child, and no other; what that child is told of it."""
        if self._companion is not None and self._companion.program != program:
            self.close()
        if program is None:
            return {}
        if self._companion is None:
            run_dir = self._run_dir(program)
            # No time limit of its own: it ends with the children that it is there for.
            job = self._job(program, run_dir, None, {})
            self._companion = Companion(program, run_dir, Supervised(job, run_dir / "said.jsonl"))
        return {"PERFDB_BESIDE_DIR": str(self._companion.run_dir)}

    @property
    def _redactor(self) -> Redactor:
        here = Identity.here()
        return Redactor(self.setup.config.secrets, replace(here, homes=(*here.homes, str(self.request.work_path))))

    def _run_dir(self, program: Program) -> Path:
        """A new folder for Parsl, which writes there what a config holds, secrets included."""
        run_dir = self.request.work_path / self.journal.run / program.name
        try:
            run_dir.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            run_dir.mkdir()
        except OSError as error:
            raise cannot_write(run_dir, error, "Parsl's run folder belongs there (PERFDB_WORK_DIR).") from error
        return run_dir

    def _job(self, program: Program, run_dir: Path, timeout_s: float | None, more: Mapping[str, str]) -> ChildJob:
        config = self.setup.config
        return ChildJob(
            name=program.name,
            argv=program.argv,
            env={
                **child_environment(self.request, self.journal.run, config.overrides),
                **program.env,
                **more,
                "PERFDB_RUN_DIR": str(run_dir),
            },
            cwd=Path.cwd(),
            secrets=config.secrets,
            homes=(str(self.request.work_path),),
            sample_on=program.sample_on,
            timeout_s=timeout_s,
            ballast=self.journal.ballast,
            when_abandoned=(sys.executable, "-P", "-m", "perfdb.platforms.cancel", str(run_dir), *self.providers),
        )

    @property
    def powers_nodes(self) -> bool:
        """Whether the platform powers nodes up and down as they are wanted."""
        return any(platform.nodes_up() is not None for platform in self._platforms)

    @property
    def providers(self) -> tuple[str, ...]:
        """Class names of the config's providers."""
        return tuple(sorted({e.provider_class for e in self.setup.config.executors if e.provider_class}))

    def _follow(self, program: Program, job: ChildJob, log_path: Path) -> None:
        """Wait for the child's end; Ctrl-C asks it to end in good order, a second one makes it."""
        telling = self.family.progress(program)
        with Supervised(job, log_path) as child:
            while True:
                try:
                    events = child.read(self.observer.tick_s)
                    if events is None:
                        return
                    if not events:
                        self.observer.tick()
                    for event in events:
                        told = telling(event.text) if isinstance(event, Line) else None
                        if told:
                            self.observer.progress(program.label or program.name, told)
                except KeyboardInterrupt:
                    self.interrupted = True
                    self.observer.say("stopping: the child cleans up, then what was measured is kept (again: at once)")
                    child.stop()

    @property
    def _platforms(self) -> tuple[Platform, ...]:
        return platforms_for(self.providers)

    @property
    def _state_path(self) -> Path:
        return self.journal.path.parents[1]

    def _check_time_left(self, program: Program) -> float | None:
        """Seconds until the time limit, None without one.

        Raises:
            MeasurementStopped: there are none, or Ctrl-C came; the journal tells.
        """
        if self.interrupted:
            raise MeasurementStopped
        if self.deadline is None:
            return None
        left_s = self.deadline - time.monotonic()
        if left_s <= 0:
            with contextlib.suppress(RegistryError):
                self.journal.write(STOPPED, {"reason": f"the time limit was reached before {program.name} could begin"})
            raise MeasurementStopped
        return left_s

    def _until(self, patience_s: float) -> float:
        until = time.monotonic() + patience_s
        return until if self.deadline is None else min(until, self.deadline)

    def _await_release(self, program: Program) -> None:
        """Wait until no node is powered up for nothing; the family labels what it sees if that takes too long.

        Nobody knows how long a site lets its nodes idle before it powers them down, so the user says how long to wait.
        """
        up: tuple[str, ...] = ()

        def released() -> bool:
            nonlocal up
            up = tuple(node for platform in self._platforms for node in platform.nodes_up() or ())
            return not up

        def told() -> None:
            nodes = counted(len(up), "node")
            self.observer.say(
                f"{program.name} begins once {nodes} with nothing to do are powered down (they idle for SuspendTime first)"
            )

        try:
            if not released():
                told()
                if not wait_until(released, self._until(program.patience_s), told):
                    nodes = counted(len(up), "node")
                    self.observer.say(
                        f"{program.name} begins although {nodes} with nothing to do did not power down in {program.patience_s:g} s"
                    )
        except KeyboardInterrupt:
            self.interrupted = True

    def _jobs(self, run_dir: Path, settle_s: float) -> tuple[Job, ...]:
        """The child's cluster jobs with their times; those it left running are ended.

        They are ended first: whatever becomes of us from then on, nothing is left running.
        """
        submitted = submitted_jobs(run_dir, self.providers)
        try:
            left = cancel_jobs(submitted)
        except KeyboardInterrupt:
            self.interrupted = True
            left = cancel_jobs(submitted)
        if left:
            ids = ", ".join(job_id for each in left for job_id in each.job_ids)
            self.observer.say(f"these cluster jobs could not be cancelled now, `perfdb sync` tries again: {ids}")
            with contextlib.suppress(RegistryError):  # it was said
                keep_left(self._state_path, self.journal.run, left)
        if settle_s > 0 and not left and not self.interrupted and any(each.job_ids for each in submitted):
            try:
                wait_until(
                    lambda: all(each.platform.over(each.job_ids) for each in submitted),
                    self._until(settle_s),
                    lambda: self.observer.say("waiting until the cluster jobs are over"),
                )
            except KeyboardInterrupt:
                self.interrupted = True
        return tuple(job for each in submitted for job in each.platform.times_of(each.job_ids))


def child_environment(request: RunRequest, run: str, overrides: Mapping[str, Scalar]) -> dict[str, str]:
    """Our environment, set up so that a child finds its own Parsl's programs first and speaks line by line."""
    return {
        **os.environ,
        "PATH": f"{request.python.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PYTHONUNBUFFERED": "1",
        # Parsl's interchange gives itself a title, which would wipe the marker from what others see of its environment.
        "SPT_NOENV": "1",
        "PERFDB_CONFIG": request.parsl_config,
        "PERFDB_OVERRIDES": json.dumps(dict(overrides)),
        MARKER: run,
    }
