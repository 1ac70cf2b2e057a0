"""What the name of a key, variable, flag or parameter says about its value."""

import re
from functools import lru_cache
from itertools import pairwise

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")

# Anywhere in a name, so that `dbpassword` and `AUTHTOKEN` are found too.
_TELLING_PARTS = ("token", "secret", "passw", "passphrase", "apikey", "accesskey", "privatekey", "credential")
_TELLING_WORDS = frozenset(
    """auth authorization authentication bearer cookie cookies cred creds jwt pass private psk pwd session
    sessionid""".split()  # noqa: SIM905
)
_KINDS_OF_KEY = frozenset(
    """access account api client deploy encryption host license master private secret service shared signing
    ssh storage subscription""".split()  # noqa: SIM905
)
# `max_tokens=100`, `token_count: 3`: how many there are, not what they are.
_COUNTING_WORDS = frozenset("count limit max min num number total".split())  # noqa: SIM905
_KEYISH_WORDS = frozenset("key keys pat salt sas sig signature nonce".split())  # noqa: SIM905
_PEOPLE = frozenset("user username login logname mailuser mail-user mail_user".split())  # noqa: SIM905

# Parsl's parameters that name an account, a person's file or a machine.
_ACCOUNT_PARAMETERS = frozenset(
    """account address hostname hostnames iam_instance_profile_arn key_file key_name linux_user loopback_address
    profile project project_id project_password_file secret service_account_name""".split()  # noqa: SIM905
)


@lru_cache(maxsize=4096)
def _words(name: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in _WORD.findall(name))


def names_a_secret(name: str) -> bool:
    """Whether a value that goes by this name is to be masked: `GITHUB_TOKEN`, `--api-key`, `dbPassword`."""
    name = name[-200:]
    words = _words(name)
    if any(word.startswith("tokeni") for word in words):
        return False
    joined = "".join(words)
    if _counts(words):
        return "passw" in joined or "secret" in joined
    if any(part in joined for part in _TELLING_PARTS):
        return True
    if _TELLING_WORDS.intersection(words):
        return True
    return any(word in ("key", "keys") and before in _KINDS_OF_KEY for before, word in pairwise(words))


def _counts(words: tuple[str, ...]) -> bool:
    if not words:
        return False
    return words[-1] in _COUNTING_WORDS or (words[0] in _COUNTING_WORDS and words[-1].endswith("s"))


def hints_at_a_key(name: str) -> bool:
    """Whether a long hexadecimal or base64 value under this name is a secret: `key`, `signature`."""
    return not _KEYISH_WORDS.isdisjoint(_words(name[-200:]))


def names_a_person(name: str) -> bool:
    """Whether the value is somebody's user name: `user`, `--mail-user`, `LOGNAME`."""
    return name.strip("-").lower() in _PEOPLE


def names_an_account(name: str) -> bool:
    """Whether the value is what the scheduler charges."""
    return name.strip("-").lower() == "account"


def account_parameter(name: str) -> bool:
    """Whether Parsl's parameter of this name holds an account, a key's file, a person or a machine."""
    return name.lower() in _ACCOUNT_PARAMETERS
