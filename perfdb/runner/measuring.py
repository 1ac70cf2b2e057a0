"""A run that is under way: its config described, its family's children run one at a time, all of it in the journal."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from perfdb.capture.machine import submit_host
from perfdb.errors import ConfigError, RegistryError
from perfdb.families import FAMILIES, Children, ChildRun, Family, Program, Setup
from perfdb.parsl_config import ConfigDescription, describe
from perfdb.parsl_config.beside import on_nodes_of
from perfdb.platforms import Platform, platforms_for
from perfdb.record import Scalar
from perfdb.redaction import Identity, Redactor
from perfdb.registry import Journal
from perfdb.runner.assemble import child_runs, request_of, setup_of
from perfdb.runner.lab import Observer, SupervisedLab
from perfdb.runner.request import RunRequest
from perfdb.runner.scheduler import settings_of
from perfdb.settings import Settings


@dataclass
class Measuring:
    """See `begin`. `left_s` are the seconds that its children may still take together; None for no limit."""

    journal: Journal
    lab: SupervisedLab
    left_s: float | None
    _children: Children
    _next: Program | None

    @property
    def over(self) -> bool:
        """Whether all children have run."""
        return self._next is None

    def step(self) -> None:
        """Run the next child to its end.

        Raises:
            MeasurementStopped: it was interrupted or ran out of time; there is no next one.
        """
        program, self._next = self._next, None
        if program is None:
            return
        try:
            begun = time.monotonic()
            self.lab.deadline = None if self.left_s is None else begun + self.left_s
            run = self.lab.run(program)
            if self.left_s is not None:
                self.left_s -= time.monotonic() - begun
            self._next = self._children.send(run)
        except StopIteration:
            self._children.close()
        finally:
            if self._next is None:
                self.lab.close()

    def close(self) -> None:
        """End what still runs beside the children."""
        self.lab.close()


def begin(
    request: RunRequest, settings: Settings, journal: Journal, observer: Observer, before_first: Callable[[], None]
) -> Measuring:
    """Describe the config and see which child is first, or next where the journal has some already.

    Raises:
        ConfigError: the config cannot be loaded.
        UsageError: what was asked for is nothing that this Parsl can do.
        RegistryError: the journal cannot be written, or holds other children than this request asks for.
    """
    begun = time.monotonic()
    family = FAMILIES[request.family]
    if family.subject is None or request.nodes_config is not None:
        observer.say(f"loading {Path(request.parsl_config).name} in a child process")
    spec = family.spec.model_validate(request.spec)
    limit = settings.config_timeout_s
    config = _described(
        family, spec, request, journal, limit if request.timeout_s is None else min(limit, request.timeout_s)
    )
    setup = Setup(config=config, host=submit_host(request.host_key, config.packages, _python(config)))
    before = child_runs(journal)
    if before:
        _check_alike(setup_of(journal), setup, journal)
    journal.write("setup.json", setup.model_dump(mode="json"))
    lab = SupervisedLab(request, journal, family, setup, observer, deadline=None, before_first=before_first)
    if platforms := platforms_for(lab.providers):
        described = _on(platforms[0], request, config)
        if before and (known := request_of(journal).scheduler_settings) is not None:
            if described.scheduler_settings not in (None, known):
                raise _another_set_up(config.name, journal)
            described = described.model_copy(update={"scheduler_settings": known})
        journal.write("request.json", described.model_dump(mode="json"))
    children = family.measure(lab, spec)
    spent = time.monotonic() - begun + sum(run.log.exit.t for run in before)
    left_s = None if request.timeout_s is None else request.timeout_s - spent
    return Measuring(journal, lab, left_s, children, _told_again(children, before, journal))


def _described(
    family: Family, spec: BaseModel, request: RunRequest, journal: Journal, timeout_s: float
) -> ConfigDescription:
    """What is under test; a config as the family wants it."""

    def ask(overrides: Mapping[str, Scalar]) -> ConfigDescription:
        return describe(
            Path(request.parsl_config),
            python=request.python,
            timeout_s=timeout_s,
            identity=Identity.here(),
            run=journal.run,
            overrides=overrides,
        )

    if family.subject is not None:
        subject = family.subject.describe(request.target, request.host_key)
        return subject if request.nodes_config is None else on_nodes_of(subject, ask({}), family.nodes_option)

    own = family.overrides(spec)
    try:
        return ask({**request.overrides, **own})
    except ConfigError:
        if own:  # params that nobody typed: the family's own words tell more of a config that has none of them
            family.fits(ask(request.overrides), spec)
        raise


def _on(platform: Platform, request: RunRequest, config: ConfigDescription) -> RunRequest:
    """The request with what the batch system says of itself: in the journal before anything is measured, come what may."""
    return request.model_copy(
        update={
            "scheduler": platform.name,
            "scheduler_version": platform.version(),
            "scheduler_settings": settings_of(platform, config, Redactor((), Identity.here())),
        }
    )


def _check_alike(old: Setup | None, new: Setup, journal: Journal) -> None:
    """What was measured before and what comes now must be one set-up, or one record would mix two."""
    old_config = old.config.model_dump(mode="json") if old is not None else None
    if old is None or old_config != new.config.model_dump(mode="json") or old.host.kernel != new.host.kernel:
        raise _another_set_up(new.config.name, journal)


def _another_set_up(config: str, journal: Journal) -> RegistryError:
    return RegistryError(
        f"what was measured of {config} before the interruption was another set-up than there is now: the config, a package, "
        "Python, the kernel or the scheduler's settings changed meanwhile. Put it back and type the same command again, or "
        f"begin anew with --fresh. What was measured is safe in {journal.path}."
    )


def _told_again(children: Children, runs: Sequence[ChildRun], journal: Journal) -> Program | None:
    """The first child that the journal has no log of, once the family was told what those before it said."""
    try:
        program = next(children)
        for run in runs:
            name = run.log.name.partition("-")[2]
            if name != program.name:
                raise RegistryError(
                    f"the journal {journal.path} has a log of {name!r} where {program.name!r} belongs. Finish it with the "
                    "perfdb that began it, or give it up: remove that folder."
                )
            program = children.send(run)
    except StopIteration:
        return None
    return program


def _python(config: ConfigDescription) -> str:
    return f"{config.python_implementation} {config.python_version}"
