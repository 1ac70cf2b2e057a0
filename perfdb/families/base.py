"""What a family of experiments is: what it asks for, what it runs, and what the outputs say."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict

from perfdb.families.charts import ChartDescription
from perfdb.parsl_config import ConfigDescription
from perfdb.platforms import Job
from perfdb.processes.log import ChildLog
from perfdb.record import Check, Finding, Host, Metric, MetricDefinition, Record, Scalar, Status


@dataclass(frozen=True)
class ChildRun:
    """A child's log and the cluster jobs it submitted.

    `files`: texts by name that it left in the folder `artifacts` of its run folder, masked; they go into the record.
    """

    log: ChildLog
    jobs: tuple[Job, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Program:
    """A child that a family wants run.

    Attributes:
        name: Of its log; unlike every other one of the run.
        argv: What to run.
        env: Added to the environment of every child.
        sample_on: The output lines at which the tree's CPU time is sampled.
        begin_when: `released`: no node of the platform is left powered up for nothing, so each one must boot again.
        patience_s: How long to wait for that, at most; the run goes on without it then.
        settle_s: How long to wait, at most, for the child's cluster jobs to be over before their times are asked for.
        label: What people know it by while it runs; its name if ''.
        beside: A child that must run besides, and goes on as long as those that come next name the same. This one finds the
            other's run folder in PERFDB_BESIDE_DIR. It may come up later, or have ended.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    sample_on: str = ""
    begin_when: Literal["now", "released"] = "now"
    patience_s: float = 0.0
    settle_s: float = 0.0
    label: str = ""
    beside: Program | None = None


class Setup(BaseModel):
    """What is under test and where: known once the config is described, before anything is measured."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    config: ConfigDescription
    host: Host

    @property
    def cores(self) -> int | None:
        """CPUs that the submit host grants us, whole ones."""
        limits = [n for n in (self.host.cpu_usable, self.host.cpu_limit) if n]
        return max(1, int(min(limits))) if limits else None


# A family's children, one after another: each is handed out, and comes back as what it said.
Children = Generator[Program, ChildRun, None]


class Lab(Protocol):
    """What a family must know to say which children it wants."""

    @property
    def setup(self) -> Setup:
        """The config under test, and this host."""

    @property
    def target(self) -> str:
        """What is under test, as it was typed; the file of a Parsl config."""

    @property
    def python(self) -> Path:
        """The Python whose Parsl is measured."""

    @property
    def host_key(self) -> str:
        """What workers make their pseudonyms from."""

    @property
    def powers_nodes(self) -> bool:
        """Whether the platform powers nodes up and down as they are wanted."""


@dataclass(frozen=True)
class Measurements:
    """What the children's outputs say, all of it.

    `versions`: of what was measured beside Parsl, by name.
    """

    status: Status
    reason: str | None
    metrics: tuple[Metric, ...] = ()
    checks: tuple[Check, ...] = ()
    findings: tuple[Finding, ...] = ()
    samples: Mapping[str, Sequence[object]] = field(default_factory=dict)
    workers: tuple[Host, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Subject:
    """What a family's runs are of, where that is no Parsl config.

    Attributes:
        metavar: What stands for it on the command line.
        option: The same as an option, for who would rather name it.
        help: What may be typed there.
        describe: What was typed, described for the record: its `source` is what the record keeps of it, with nothing in it
            that must not be published. Hosts go by pseudonyms made with the key that is given. Raises UsageError.
        complete: What may stand there that begins like this, for shells; None where nothing is known.
        again: Pure: from a record's params to what to type for the same; None where they do not say it.
    """

    metavar: str
    option: str
    help: str
    describe: Callable[[str, str], ConfigDescription]
    complete: Callable[[str], Sequence[str]] | None = None
    again: Callable[[Mapping[str, Scalar]], str | None] | None = None


@dataclass(frozen=True)
class Around:
    """What stood around when a run's own files were written, for such files alone: a record never has any of it.

    Attributes:
        typed: The command line, its program first.
        variables: Of the environment.
        files: Texts of the files of the current folder that the family asked for, by name; only those that are there.
    """

    typed: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outputs:
    """Files that a family's runs give besides the record, into a folder of the user's.

    Attributes:
        files: Their names.
        make: Pure: from the spec, the target as it was typed, the record, the children and what stood around to their content.
        reads: Files of the current folder, small ones, whose texts that takes.
    """

    files: tuple[str, ...]
    make: Callable[[Any, str, Record, Sequence[ChildRun], Around], Mapping[str, bytes]]
    reads: tuple[str, ...] = ()


@dataclass(frozen=True)
class Nearby:
    """Options that files of the current folder say, for whoever gave none.

    Attributes:
        reads: Their names; small ones, or they are left alone.
        options: Pure: from the target as it was typed and those texts that are there.
    """

    reads: tuple[str, ...]
    options: Callable[[str, Mapping[str, str]], Mapping[str, Scalar]]


@dataclass(frozen=True)
class Shown:
    """What a run measured, beyond its metrics, for people.

    Attributes:
        table: Rows of words, the first one their heads; () for none.
        further: What to do next, a line each, with what to type.
    """

    table: tuple[tuple[str, ...], ...] = ()
    further: tuple[str, ...] = ()


@dataclass(frozen=True)
class Family:
    """One kind of experiment.

    Attributes:
        name: As in records and on the command line.
        purpose: What it measures, in a sentence for the help.
        spec: The model of what can be asked for; each of its fields is a flag.
        subject: What is named where others name a Parsl config; None where a config is.
        nodes_option: With a subject: the option that names a Parsl config on whose nodes its programs run; '' for none.
        examples: What may be typed after its command, for the help.
        overrides: Pure: the config's params that such a run sets, whatever the config says.
        fits: Pure: raises ConfigError or UsageError where this config, as its file has it, is none to measure so.
        measure: Yields the children to run, one after another, and gets what each said, which is on disk by then. So runs
            that take turns can be interleaved, and one that was cut off can be gone on with: it is told anew what is known.
        child_count: How many children a run takes at most, for an estimate of the time left.
        assemble: Pure: from what was asked and what the children said to the measurements. It must make the best of
            logs that end anywhere, for it also serves what a crash left.
        metrics: Every metric's definition by name.
        headline: The metrics to show first.
        charts: What is worth a look, in that order.
        progress: Of a child to what hears its output lines in order: one line where that is worth telling, else None.
        summarise: Pure: the metrics that the samples imply, for whoever checks a record.
        derive: Pure: the metrics that a record's other metrics imply, for the same.
        outputs: Files besides the record, for whoever asks for them; None where there are none.
        agrees: Pure: what of a record its samples contradict beyond the metrics, a sentence each; None where that is nothing.
        implied: The metrics of a run that stand only where one of these two implies them.
        shown: Pure: what a record and its samples have for people beyond the metrics; None where there is nothing.
        nearby: See there; None where no file says anything.
        either: Pairs of options of which only one may be typed.
        unkept: Options whose values may name hosts or hold secrets, and what a record has in their place where one was given.
        completes: What may stand for an option that begins like this, by the option, for shells.
        goes_on: Whether a run of it that was interrupted waits for the same command, which goes on with the next child; else what
            was measured until then becomes a record at once.
    """

    name: str
    purpose: str
    spec: type[BaseModel]
    subject: Subject | None
    examples: tuple[str, ...]
    overrides: Callable[[Any], Mapping[str, Scalar]]
    fits: Callable[[ConfigDescription, Any], None]
    measure: Callable[[Lab, Any], Children]
    child_count: Callable[[Any], int]
    assemble: Callable[[Any, Setup | None, Sequence[ChildRun]], Measurements]
    metrics: Mapping[str, MetricDefinition]
    headline: tuple[str, ...]
    charts: tuple[ChartDescription, ...]
    progress: Callable[[Program], Callable[[str], str | None]]
    summarise: Callable[[Mapping[str, Sequence[Any]]], tuple[Metric, ...]]
    derive: Callable[[Record], tuple[Metric, ...]]
    implied: frozenset[str]
    agrees: Callable[[Record, Mapping[str, Sequence[Any]]], Iterable[str]] | None = None
    outputs: Outputs | None = None
    shown: Callable[[Record, Mapping[str, Sequence[Any]]], Shown] | None = None
    nearby: Nearby | None = None
    either: tuple[tuple[str, str], ...] = ()
    nodes_option: str = ""
    unkept: Mapping[str, Scalar] = field(default_factory=dict)
    completes: Mapping[str, Callable[[str], Sequence[str]]] = field(default_factory=dict)
    goes_on: bool = False
