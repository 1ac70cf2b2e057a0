"""From what WORKLOAD names, a built-in or a file, to its list of jobs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from perfdb.errors import UsageError
from perfdb.families.schedulers.plan import Workload
from perfdb.families.schedulers.workload.builtin import BUILTINS, named, unknown
from perfdb.families.schedulers.workload.draft import Draft, listed
from perfdb.families.schedulers.workload.job import WorkJob, digest
from perfdb.families.schedulers.workload.swf import Swf, read_swf
from perfdb.families.schedulers.workload.toml_spec import drafts_of, read_toml
from perfdb.families.schedulers.workload.trace import drafts_of_trace

Kind = Literal["built-in", "toml", "swf"]
_MOST_BYTES: dict[Kind, int] = {"toml": 1024 * 1024, "swf": 256 * 1024 * 1024}


@dataclass(frozen=True)
class Source:
    """What WORKLOAD names.

    Attributes:
        name: Of the built-in, or the file's without its folders and its suffix.
        whole: The built-in's name, or the file's whole path.
        kind: What it is.
        content: The file's bytes; of a built-in its name's.
    """

    name: str
    whole: str
    kind: Kind
    content: bytes

    @property
    def sha256(self) -> str:
        """Of the content, as hexadecimal digits."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def text(self) -> str:
        """The content as text.

        Raises:
            UsageError: it is none.
        """
        try:
            return self.content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            if self.kind == "swf":  # comments of old traces hold names of people and places in Latin-1
                return self.content.decode("latin-1")
            raise UsageError(f"{self.whole} is no text in UTF-8: byte {error.start + 1}. Mend it there.") from error


@dataclass(frozen=True)
class Loaded:
    """A list of jobs, and what is to be told of it.

    Attributes:
        left_out: How many jobs of a trace cannot be run, by the reason.
        machine_nodes: How many processors a trace says that its machine had; None where it says nothing.
    """

    source: Source
    jobs: tuple[WorkJob, ...]
    left_out: tuple[tuple[str, int], ...]
    machine_nodes: int | None

    @property
    def sha256(self) -> str:
        """The list's digest."""
        return digest(self.jobs)


def described(source: str) -> Source:
    """What that names, its content read.

    Raises:
        UsageError: there is no such built-in, or the file cannot be read.
    """
    kinds: dict[str, Kind] = {".toml": "toml", ".swf": "swf"}
    path = Path(source).expanduser()
    if (kind := kinds.get(path.suffix.lower())) is None:
        if source not in BUILTINS:
            raise UsageError(_unknown(source, path))
        return Source(source, source, "built-in", source.encode())
    try:
        if path.exists() and not path.is_file():  # a pipe would keep us waiting
            raise UsageError(f"the workload {source[:200]} is no file. Name one, or one of {', '.join(BUILTINS)}.")
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES[kind] + 1)
    except (OSError, ValueError) as error:  # a name may hold a NUL
        why = error.strerror if isinstance(error, OSError) else error
        raise UsageError(
            f"the workload {source[:200]} cannot be read: {why}. Name a file that is there, or one of {', '.join(BUILTINS)}."
        ) from error
    if len(content) > _MOST_BYTES[kind]:
        raise UsageError(
            f"the workload {source[:200]} is larger than {_MOST_BYTES[kind] // 2**20} MiB. Cut it, and try again."
        )
    return Source(path.stem, str(path.absolute()), kind, content)


def whole(source: str) -> str:
    """A file's whole path, for whoever works in another folder; a built-in's name as it is.

    Raises:
        UsageError: as `described`.
    """
    return described(source).whole


def loaded(source: str, *, nodes: int, seed: int, load: float, jobs: int, compress: float) -> Loaded:
    """The list of jobs of a workload.

    Args:
        nodes: Of the cluster it is for: no job asks for more.
        seed: Of what is drawn at random; one seed, one list.
        load: The offered load, where the workload leaves it open.
        jobs: How many, the first so many of a file; 0 for as many as there are.
        compress: All times are divided by it.

    Raises:
        UsageError: there is no such workload, or no list can be made of it.
    """
    found = described(source)
    trace = read_swf(found.text, found.whole) if found.kind == "swf" else None
    drafts, left_out = _drafts(found, trace, nodes, seed, load, jobs)
    told = tuple(sorted(left_out.items()))
    machine = _machine_nodes(trace)
    if not drafts:
        why = "; ".join(f"{count:,} have {reason}" for reason, count in told) or "it has none"
        hint = f"--nodes {machine}" if machine is not None and machine > nodes else "another file"
        raise UsageError(f"no job of {found.whole} can be run: {why}. Try {hint}.")
    of = f"the workload {found.name}" if found.kind == "built-in" else found.whole
    return Loaded(found, listed(drafts, compress, of, "line" if trace is not None else "block"), told, machine)


def jobs_of(workload: Workload) -> tuple[WorkJob, ...]:
    """The list that a plan names, made again.

    Raises:
        UsageError: as `made_again`, or it is another one by now.
    """
    found = made_again(workload)
    if workload.sha256 and found.sha256 != workload.sha256:
        raise UsageError(
            f"{Path(workload.source).name} gives another list of jobs than when this run began: {found.sha256[:12]}, not "
            f"{workload.sha256[:12]}. Put it back, or begin a run anew."
        )
    return found.jobs


def made_again(workload: Workload) -> Loaded:
    """What a plan names, for a child of the run: a record keeps what children say, so folders are not named.

    Raises:
        UsageError: it can't be made.
    """
    try:
        return loaded(workload.source, **workload.model_dump(exclude={"source", "sha256"}))
    except UsageError as error:
        name = Path(workload.source).name
        # A long path is told in part.
        raise UsageError(str(error).replace(workload.source, name).replace(workload.source[:200], name)) from None


def _drafts(
    found: Source, trace: Swf | None, nodes: int, seed: int, load: float, jobs: int
) -> tuple[list[Draft], dict[str, int]]:
    if trace is not None:
        return drafts_of_trace(trace, nodes, jobs)
    if found.kind == "toml":
        return drafts_of(read_toml(found.text, found.whole), nodes, seed, load, jobs), {}
    return named(found.name, nodes, seed, load, jobs), {}


def _machine_nodes(trace: Swf | None) -> int | None:
    said = trace.header("MaxProcs") or trace.header("MaxNodes") if trace is not None else None
    return int(said) if said is not None and said.isascii() and said.isdigit() and len(said) < 10 else None


def _unknown(source: str, path: Path) -> str:
    if path.exists():
        return f"{source[:200]} is no workload that is known by its name: a file ends in .toml or .swf. Rename it."
    return unknown(source)
