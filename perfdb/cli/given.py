"""What is given on the command line in place of a measurement: a serverless platform, and nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from perfdb.errors import UsageError

if TYPE_CHECKING:
    from perfdb.families.autoscale.analysis.serverless import Serverless
    from perfdb.families.autoscale.analysis.ways import Way


MOST_CORES = 10_000
_CORES = 64
_FEWEST_CORES = 4


class AskedFor(StrEnum):
    """How nodes that are given are asked for."""

    IN_TURN = "in-turn"
    AT_ONCE = "at-once"


@dataclass(frozen=True)
class GivenNodes:
    """Nodes of so many cores each that are said to take so many seconds."""

    seconds: float
    cores_each: int
    asked: AskedFor
    given_by: str

    def way(self, cores: int) -> Way:
        """As many of them as so many cores take."""
        from perfdb.families.autoscale.analysis.curves import given_nodes
        from perfdb.families.autoscale.analysis.ways import Way

        about = f"{self.seconds:g} s for {self.cores_each} cores, asked for {self.asked.value.replace('-', ' ')}"
        curve = given_nodes(self.seconds, self.cores_each, self.asked.value, cores)
        facts = {"cores_per_node": self.cores_each, "cores_per_node_by": "given", "asked": self.asked.value}
        return Way("given nodes", about, curve, True, given_by=self.given_by, facts=facts)


def wanted_cores(cores: int | None, measured: Sequence[Way]) -> int:
    """How many cores are asked for: those given, else so many that what was measured can be seen."""
    if cores is not None:
        return cores
    most = max((way.curve.total for way in measured), default=0)
    return min(MOST_CORES, max(_FEWEST_CORES, 2 * most)) if most else _CORES


def given_profile(
    file: Path | None, seconds_per_core: float | None, cold_start: float | None, concurrency: int | None, given_by: str
) -> Serverless | None:
    """The serverless platform that was asked for, if any; times in seconds.

    Raises:
        UsageError: the file or the options describe none.
    """
    from pydantic import ValidationError

    from perfdb.families.autoscale.analysis.serverless import Serverless, faults_of, read_profile

    options = {"seconds_per_core": seconds_per_core, "cold_start_s": cold_start, "concurrency": concurrency}
    said = {name: value for name, value in options.items() if value is not None}
    if file is not None:
        if said:
            raise UsageError(
                "--serverless takes a platform from a file, and --seconds-per-core, --cold-start and --concurrency say one "
                "without: choose either."
            )
        return read_profile(_text(file), str(file))
    if not said:
        return None
    if seconds_per_core is None:
        raise UsageError("a serverless platform needs --seconds-per-core S; 0 where cores are granted all at once.")
    try:
        return Serverless(given_by=given_by, **said)
    except ValidationError as error:
        raise UsageError(f"there is no such serverless platform: {faults_of(error)}.") from error


def _text(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return stream.read(1 << 16).decode()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(f"{file} cannot be read: {why}. Name a TOML file with --serverless.") from error


def given_nodes(text: str | None, asked: AskedFor | None, given_by: str) -> GivenNodes | None:
    """The nodes of --nodes-given; None where it was not given.

    Raises:
        UsageError: it is none, or does not say how they are asked for.
    """
    if text is None:
        if asked is not None:
            raise UsageError("--asked says how the nodes of --nodes-given S:CORES are asked for: give both or none.")
        return None
    seconds, each = _parsed(text)
    if asked is None:
        raise UsageError(
            "--nodes-given does not tell how nodes are asked for, and that changes everything: --asked at-once where all are "
            "asked for together, as Parsl asks for its blocks, so that their waits overlap; --asked in-turn where each is "
            "asked for when the one before is there."
        )
    return GivenNodes(seconds, each, asked, given_by)


def _parsed(text: str) -> tuple[float, int]:
    seconds, colon, cores = text.partition(":")
    try:
        found = float(seconds), int(cores)
    except ValueError:
        found = 0.0, 0
    if not colon or not 0 < found[0] <= 7 * 86400 or not 0 < found[1] <= 100_000:
        raise UsageError(f"--nodes-given {text}: write seconds, a colon and the cores of a node, such as 27.87:8.")
    return found


def serverless_way(profile: Serverless, name: str, cores: int) -> Way:
    """A serverless platform as a way to obtain so many cores."""
    from perfdb.families.autoscale.analysis.ways import Way

    facts = {"profile": profile.model_dump(exclude={"given_by"})}
    return Way(name, profile.told, profile.curve(cores), False, given_by=profile.given_by, facts=facts)
