"""What somebody typed, held against a machine: a request that can be met, or the reason why there is none."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from perfdb.errors import UsageError
from perfdb.minislurm.indices import array_indices
from perfdb.minislurm.request import Request
from perfdb.minislurm.sizes import memory_mb
from perfdb.minislurm.times import limit_s

DEFAULT_MEM_MB = 1024
_INTEGER = 2**63  # what the store holds
# Words that a shell would act on, and a program does not: pipes and the like, redirections, variables, a home folder.
_OF_A_SHELL = re.compile(r"[|&;]+|[^\s\\]*;|\d?[<>].*|&>.*|~(/.*)?|.*\$[A-Za-z_{(].*|.*`.*")
_OPTIONS = frozenset({"--elastic", "--cpus", "--min-cpus", "--max-cpus", "--mem", "--priority", "--time", "--array"})
_HOW = "such as mini-slurm submit --cpus 2 python3 train.py"


@dataclass(frozen=True)
class Typed:
    """What `submit` was given, as it was typed; None where nothing was.

    Attributes:
        command: One word is a whole line, to be split like a shell would; more are the argument list.
        shell: The line is for /bin/sh.
    """

    command: Sequence[str]
    shell: bool = False
    elastic: bool = False
    cpus: int | None = None
    min_cpus: int | None = None
    max_cpus: int | None = None
    mem: str | None = None
    priority: int = 0
    time: str | None = None
    array: str | None = None


def checked(
    typed: Typed, *, cpus: int, mem_mb: int, env: Mapping[str, str], cwd: str
) -> tuple[Request, tuple[str, ...]]:
    """The request, and notes: what is not as it was typed, or may not go as it was meant.

    Args:
        cpus: As many are offered to jobs.
        mem_mb: As much memory is, in MB of 2**20 bytes.
        env: The job's, mini-slurm's own variables apart.

    Raises:
        UsageError: no job can be made of it on this machine.
    """
    argv = _argv(typed)
    least, start, most, clipped = _bounds(typed, cpus)
    _storable("the current folder", cwd)
    if not -_INTEGER <= typed.priority < _INTEGER:
        raise UsageError(
            f"--priority {typed.priority} does not fit into 64 bits. Type a smaller number, such as --priority 10."
        )
    request = Request(
        argv=argv,
        env=env,
        cwd=cwd,
        name=_name(typed, argv),
        cpus=start,
        min_cpus=least,
        max_cpus=most,
        mem_mb=_memory(typed, mem_mb),
        priority=typed.priority,
        is_elastic=typed.elastic,
        limit_s=None if typed.time is None else limit_s(typed.time),
        array=() if typed.array is None else array_indices(typed.array),
    )
    return request, (*clipped, *_doubts(typed, argv, env, cwd))


def _argv(typed: Typed) -> tuple[str, ...]:
    for word in typed.command:
        _storable("the command", word)
    if not typed.command or not typed.command[0].strip():
        raise UsageError(f"there is no command to run. Type it after the options, {_HOW}.")
    if typed.shell:
        if len(typed.command) > 1:
            raise UsageError(
                "--shell takes the line as one word. Quote it, such as mini-slurm submit --shell 'sort < in.txt > out.txt'."
            )
        return ("/bin/sh", "-c", typed.command[0])
    if len(typed.command) > 1:
        return tuple(typed.command)
    try:
        words = tuple(shlex.split(typed.command[0]))
    except ValueError as error:
        raise UsageError(
            f"the command {typed.command[0]!r} can't be split into words: {str(error).lower()}. Close the quote or type the "
            f"words one by one, {_HOW}."
        ) from None
    if not words or not words[0]:
        raise UsageError(f"there is no command in {typed.command[0]!r}. Type it after the options, {_HOW}.")
    return words


def _storable(what: str, text: str) -> None:
    if "\0" in text:
        raise UsageError(f"{what} has a NUL byte in it, which no program can be given. Type it without.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UsageError(
            f"{what} has bytes in it that are no UTF-8 text: {text!r}. Put them into a script, and submit that."
        ) from None


def _bounds(typed: Typed, offered: int) -> tuple[int, int, int, tuple[str, ...]]:
    """Least, first and most CPUs, and notes."""
    given = {"--cpus": typed.cpus, "--min-cpus": typed.min_cpus, "--max-cpus": typed.max_cpus}
    for option, number in given.items():
        if option != "--cpus" and number is not None and not typed.elastic:
            raise UsageError(f"{option} is for elastic jobs. Add --elastic, or leave {option} out.")
        if number is not None and number < 1:
            raise UsageError(f"{option} {number}: a job needs at least one CPU. Type {option} 1, or more.")
        if number is not None and number > offered and option != "--max-cpus":
            raise UsageError(
                f"{option} {number} is more than this machine offers: {offered}. Type {option} {offered}, or fewer."
            )
    start = typed.cpus or typed.min_cpus or 1
    if not typed.elastic:
        return start, start, start, ()
    least, most = typed.min_cpus or start, typed.max_cpus or offered
    if typed.min_cpus and least > most:
        raise UsageError(f"--min-cpus {least} is more than --max-cpus {most}. Type --min-cpus {most} or fewer.")
    if least > start:
        raise UsageError(f"--min-cpus {least} is more than --cpus {start}, its start. Type --cpus {least} or more.")
    if start > most:
        raise UsageError(f"--cpus {start} is more than --max-cpus {most}. Type --cpus {most} or fewer.")
    if most > offered:
        return least, start, offered, (f"--max-cpus {most} is taken as {offered}, all that this machine offers",)
    return least, start, most, ()


def _memory(typed: Typed, offered_mb: int) -> int:
    if typed.mem is None:
        return min(DEFAULT_MEM_MB, offered_mb)
    wanted = memory_mb(typed.mem)
    if wanted > offered_mb:
        raise UsageError(
            f"--mem {typed.mem} is {wanted:,} MB, and this machine offers {offered_mb:,} MB. Type --mem {offered_mb}M, or less."
        )
    return wanted


def _name(typed: Typed, argv: tuple[str, ...]) -> str:
    first = argv[2].split()[0] if typed.shell else argv[0]
    return first.rsplit("/", 1)[-1] or first


def _doubts(typed: Typed, argv: tuple[str, ...], env: Mapping[str, str], cwd: str) -> Iterator[str]:
    if typed.shell:
        return
    if len(typed.command) == 1 and (odd := _for_a_shell(typed.command[0])):
        yield f"{odd} is passed to the program as it stands; with --shell, a shell runs the line"
    if len(typed.command) > 1 and " " in argv[0] and (ours := [word for word in argv[1:] if word in _OPTIONS]):
        yield f"{ours[0]} is taken as the program's, since it stands after the command: options come before it"
    if not _is_there(argv[0], env, cwd):
        # It may be there by the time that the job starts: an earlier job may make it.
        yield _lacks(argv[0], cwd)


def _for_a_shell(line: str) -> str | None:
    try:
        words = shlex.split(line, posix=False)  # which keeps the quotes
    except ValueError:
        words = shlex.split(line)
    if "=" in words[0] and words[0].partition("=")[0].isidentifier():
        return words[0]
    # What is in single quotes is meant as it stands.
    return next((word for word in words if "'" not in word and _OF_A_SHELL.fullmatch(word)), None)


def _lacks(program: str, cwd: str) -> str:
    here = Path(cwd, program)
    if "/" in program and here.is_file():
        return f"{program!r} can't be executed now; if that is still so at its start, the job fails: chmod +x {shlex.quote(program)}"
    hint = f" (or is ./{program} meant?)" if "/" not in program and here.is_file() else ""
    return f"no program {program!r} is found now; if that is still so at its start, the job fails{hint}"


def _is_there(program: str, env: Mapping[str, str], cwd: str) -> bool:
    if "/" in program:
        return shutil.which(str(Path(cwd, program))) is not None
    return shutil.which(program, path=env.get("PATH")) is not None
