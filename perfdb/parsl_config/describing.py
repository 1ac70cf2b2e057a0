"""Describe a Parsl config: load it in a child process, redact what comes back, fingerprint it."""

import hashlib
import re
import shutil
import stat
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

from perfdb.errors import ConfigError, ParslInstallError
from perfdb.parsl_config import params, source
from perfdb.parsl_config.answer import Described, Refused, parse
from perfdb.parsl_config.description import ConfigDescription, ParamValue
from perfdb.parsl_config.loading import load
from perfdb.parsl_config.refusals import failure, one_line, refusal
from perfdb.redaction import Identity, Redactor, names_a_secret

_LARGEST_SOURCE = 1024 * 1024
_SHORTEST_SECRET = 4
# Found under a telling name, but of no use to anybody, and part of too much text.
_EVERYDAY = frozenset(["none", "true", "false", "null", "test", "python", "parsl", "slurm", "default", "auto", "http"])


_MISSING = object()
_NONE: Mapping[str, ParamValue] = {}


def describe(
    config: Path,
    *,
    python: Path,
    timeout_s: float,
    identity: Identity,
    run: str = "",
    overrides: Mapping[str, ParamValue] = _NONE,
) -> ConfigDescription:
    """What a config sets up when it is loaded under `python`, with nothing in it that must not be published.

    Args:
        config: A Python file that sets `config`, or defines `fresh_config()`.
        python: The Python whose Parsl loads it. It needs Parsl and nothing of perfdb's.
        timeout_s: Seconds until loading it is given up, > 0.
        identity: Whose names to mask.
        run: Marks what the config starts, so that it can be found should we be killed.
        overrides: Params to set in place of the file's values: by their names, or by the short names `blocks`,
            `workers`, `nodes` and `cores_per_worker`.

    Raises:
        ConfigError: an override cannot be; or the file can't be read, loaded or described; the message says why and is redacted.
        ParslInstallError: `python` can't be run.
    """
    shown = _shown(config)
    plain = Redactor(identity=identity)
    text = _read(config, shown, plain)
    executable = shutil.which(python)
    if executable is None:
        message = f"{python} is no program that can be run. Name the Python whose Parsl to use with --python."
        raise ParslInstallError(plain.text(message))
    try:
        loaded = load(
            config.absolute(),
            python=Path(executable).absolute(),
            timeout_s=timeout_s,
            run=run or uuid.uuid4().hex,
            overrides=overrides,
        )
    except OSError as error:
        message = f"{python} can't be run ({error.strerror}). Name the Python whose Parsl to use with --python."
        raise ParslInstallError(plain.text(message)) from error
    answer = parse(loaded.answer)
    if answer is None or isinstance(answer, Refused):
        found = [*_strings(answer, plain), *params.within(answer.message, plain)] if answer else []
        secrets = _worth_masking([*source.literals(text), *found])
        redactor = Redactor(secrets, identity)
        if answer is None:
            raise ConfigError(redactor.text(failure(loaded, shown, timeout_s)))
        lines = source.redact(text, secrets, redactor).split("\n")
        raise ConfigError(redactor.text(refusal(answer, shown, python, lines)))

    secrets = _worth_masking(
        [*params.secret_values(answer.params, plain), *source.literals(text), *_strings(answer, plain)]
    )
    redactor = Redactor(secrets, identity)
    clean = params.redacted(answer.params, redactor)
    if kept_back := [name for name, value in answer.overrides.items() if clean.get(name, _MISSING) != value]:
        raise ConfigError(
            f"{one_line(', '.join(kept_back))} cannot be set from the command line: it holds what no record may, such as "
            f"an account, an address or a password. Set it in {redactor.text(shown)}."
        )
    published = source.redact(text, secrets, redactor)
    return ConfigDescription(
        name=redactor.text(config.stem),
        params=clean,
        overrides=answer.overrides,
        fingerprint=params.fingerprint(clean),
        source=published,
        source_sha256=hashlib.sha256(published.encode()).hexdigest(),
        executors=tuple(
            executor.model_copy(update={"label": redactor.text(executor.label)}) for executor in answer.executors
        ),
        parsl_version=answer.parsl_version,
        python_version=answer.python_version,
        python_implementation=answer.python_implementation,
        packages=answer.packages,
        parsl_perf=Path(answer.parsl_perf) if answer.parsl_perf else None,
        parsl_perf_flags=answer.parsl_perf_flags,
        run_dir=answer.run_dir,
        monitoring=answer.monitoring,
        usage_tracking=answer.usage_tracking,
        secrets=secrets,
    )


def _strings(answer: Described | Refused, plain: Redactor) -> Iterator[str]:
    """The secrets among the config's own variables."""
    for name, value in answer.strings:
        if names_a_secret(name):
            yield value
        else:
            yield from params.within(value, plain)


def _worth_masking(values: list[str]) -> tuple[str, ...]:
    """Without those that are too short or too common to mask wherever they stand."""
    return tuple(
        dict.fromkeys(
            value for value in values if len(value.strip()) >= _SHORTEST_SECRET and value.casefold() not in _EVERYDAY
        )
    )


def _shown(config: Path) -> str:
    try:
        path = config.absolute().relative_to(Path.cwd())
    except (ValueError, OSError):
        path = config
    return one_line(str(path))


def _read(config: Path, shown: str, redactor: Redactor) -> str:
    """The config's text, or the reason why there is none."""

    def refuse(message: str) -> ConfigError:
        return ConfigError(redactor.text(message))

    try:
        status = config.stat()
        if stat.S_ISDIR(status.st_mode):
            raise refuse(f"{shown} is a folder, not a config. Name a Python file in it, such as {shown}/local_htex.py.")
        if config.suffix != ".py":
            raise refuse(f"{shown} does not end in .py, and parsl-perf loads nothing else. Rename it to {shown}.py.")
        if not stat.S_ISREG(status.st_mode):
            raise refuse(f"{shown} is not a regular file. Name the Python file that sets up `config`.")
        if status.st_size > _LARGEST_SOURCE:
            raise refuse(f"{shown} is larger than 1 MB, too large for a config. Name the file that sets up `config`.")
        text = config.read_bytes().decode("utf-8-sig")
        # One row for Python is one line for us; only ancient files end theirs with \r alone.
        return re.sub(r"\r(?!\n)", "\n", text)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise refuse(
            f"there is no config {shown}. Name a Python file, or one of those that `perfdb configs` lists."
        ) from error
    except UnicodeDecodeError as error:
        raise refuse(f"{shown} is not UTF-8 text (byte {error.start}). Save it as UTF-8 and try again.") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise refuse(f"{shown} can't be read ({reason}). Make it readable, with `chmod u+r {shown}`.") from error
