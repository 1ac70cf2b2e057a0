"""The child's parameters, named and redacted, and the fingerprint of what they set up."""

import hashlib
import re
from collections.abc import Iterator

import rfc8785

from perfdb.parsl_config.answer import Param
from perfdb.parsl_config.description import ParamValue
from perfdb.redaction import ADDRESS, SECRET, Redactor, account_parameter, names_a_secret

_KEY_SIGNS = re.compile(r"[^A-Za-z0-9_\-. :/]")
_LONGEST_KEY = 250
# Dictionaries of environment variables: their values are whatever a site hands to its jobs.
ENVIRONMENTS = frozenset(["env", "env_vars", "environment"])
_ADDRESSES = frozenset(["address", "hostname", "hostnames", "loopback_address"])
EVERYBODYS_ADDRESS = frozenset(["127.0.0.1", "::1", "localhost", "0.0.0.0", "*", ""])  # noqa: S104
# Where a run writes, and for whom it is counted, is no part of what is set up.
NO_SET_UP = frozenset(["config.run_dir", "config.project_name", "config.usage_tracking"])


def secret_values(params: tuple[Param, ...], redactor: Redactor) -> Iterator[str]:
    """The raw values to mask wherever they stand."""
    in_place: set[str] = set()
    texts: list[str] = []
    for path, value in params:
        if isinstance(value, bool | None) or path[-1] == "class":
            continue
        text = str(value)
        if not _marker(path, value):
            texts.append(text)
        elif _says_secret(path) or distinctive(text):
            yield text
        else:
            in_place.add(text)
    # Parsl writes an account called `physics` into the scheduler's options too: that makes it no rarer a word.
    yield from (found for text in texts for found in within(text, redactor) if found not in in_place)


def within(text: str, redactor: Redactor) -> Iterator[str]:
    """The secrets that stand in a text, such as a `worker_init`."""
    for finding in redactor.find(text):
        if finding.kind == "secret":
            yield finding.matched
            # The password of a URL, apart from the user.
            yield from (part for part in finding.matched.split(":")[1:] if part)


def distinctive(text: str) -> bool:
    """Whether to mask a value wherever it stands: a plain word or number would garble all text."""
    return not text.isalpha() and not text.replace(".", "").isdigit()


def redacted(params: tuple[Param, ...], redactor: Redactor) -> dict[str, ParamValue]:
    """Flat parameters under names that MLflow takes, in the config's order."""
    flat: dict[str, ParamValue] = {}
    for path, value in params:
        name = _KEY_SIGNS.sub("_", ".".join(redactor.text(part) for part in path))[:_LONGEST_KEY]
        key, number = name, 2
        while key in flat:
            key, number = f"{name[: _LONGEST_KEY - 6]}_{number}", number + 1
        flat[key] = _redacted(path, value, redactor)
    return flat


def fingerprint(params: dict[str, ParamValue]) -> str:
    """SHA-256 of the canonical JSON of what the redacted params set up."""
    set_up = {key: value for key, value in params.items() if key not in NO_SET_UP}
    return hashlib.sha256(rfc8785.dumps(set_up)).hexdigest()


def _redacted(path: tuple[str, ...], value: ParamValue, redactor: Redactor) -> ParamValue:
    if path[-1] == "class" or value is None:
        return redactor.text(value) if isinstance(value, str) else value
    marker = _marker(path, value)
    if marker:
        return marker
    return redactor.text(value) if isinstance(value, str) else value


def _marker(path: tuple[str, ...], value: ParamValue) -> str | None:
    """What stands for the whole value, if its name alone says that it must go."""
    names = [part for part in path[1:] if not part.isdigit()]
    if not names or value is None or value in ("", "[]", "{}", "unrecorded"):
        return None
    if ENVIRONMENTS.intersection(names[:-1]) or (names[-1] in ENVIRONMENTS and isinstance(value, str)):
        return SECRET
    if isinstance(value, bool):
        return None
    if _ADDRESSES.intersection(names):
        return None if value in EVERYBODYS_ADDRESS else ADDRESS
    if any(account_parameter(name) for name in names) or _says_secret(path):
        return SECRET
    return None


def _says_secret(path: tuple[str, ...]) -> bool:
    return any(names_a_secret(part) for part in path[1:])
