"""How MLflow is signed in to, and where from: what its own client reads, looked at without importing it.

MLflow's client takes, in this order: the address itself (`https://user:password@host`), a user name and a password from
MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, each from ~/.mlflow/credentials where its variable is not set, and
MLFLOW_TRACKING_TOKEN. Source: mlflow.utils.credentials and mlflow.utils.rest_utils of MLflow 3.17, and requests.
"""

from __future__ import annotations

import configparser
import os
from pathlib import Path
from urllib.parse import urlsplit

USERNAME, PASSWORD, TOKEN = "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN"
CREDENTIALS = "~/.mlflow/credentials"


def secrets() -> list[str]:
    """Every user name, password and token that would be sent, longest first; nobody may read them in what we print."""
    found = {os.environ.get(name, "") for name in (USERNAME, PASSWORD, TOKEN)} | set(_in_file().values())
    return sorted(found - {""}, key=len, reverse=True)


def sent(name: str) -> str:
    """The user name or the password that MLflow's client would send, by the name of its variable; "" for none."""
    return os.environ.get(name, "") or _in_file().get(name, "")


def how_to_sign_in(uri: str) -> str:
    """What a person does whom the server at `uri` did not take for anybody it knows; continues "MLflow at <uri>"."""
    if "@" in urlsplit(uri).netloc:
        return "does not know the user and password that MLFLOW_TRACKING_URI holds. Put the right ones there, or none"
    names = [_source(name) for name in (USERNAME, PASSWORD)]
    if None not in names:
        places = " and ".join(dict.fromkeys(name for name in names if name))
        return f"does not know the user and password that {places} {'hold' if ' and ' in places else 'holds'}. Put the right ones there"
    if os.environ.get(TOKEN):
        return f"does not take the token that {TOKEN} holds. Put another one there"
    return (
        f"wants to know who you are. Type `export {USERNAME}=… {PASSWORD}=…`, or put both into {CREDENTIALS} "
        "(docs/how-to/team.md shows how)"
    )


def _source(name: str) -> str | None:
    if os.environ.get(name):
        return name
    return CREDENTIALS if _in_file().get(name) else None


def _in_file() -> dict[str, str]:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(Path(CREDENTIALS).expanduser(), encoding="utf-8")
        return {name: parser.get("mlflow", name, fallback="") for name in (USERNAME, PASSWORD)}
    except (OSError, ValueError, RuntimeError, configparser.Error):
        return {}  # MLflow's client says what is wrong with it
