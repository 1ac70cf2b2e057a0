"""What a site or a person sets once: flags, then PERFDB_* variables, then perfdb.toml, then defaults."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from perfdb.errors import SettingsError

SETTINGS_FILE = "perfdb.toml"


class Settings(BaseSettings):
    """Where things lie and what this machine is called. Relative paths count from `root`."""

    model_config = SettingsConfigDict(env_prefix="PERFDB_", frozen=True, extra="forbid")

    root: Path = Field(description="the folder that holds perfdb.toml, else the checkout, else the current one")
    registry: Path = Field(Path("mlruns"), description="the records")
    state_dir: Path = Field(
        Path(".perfdb"),
        description="journal, local MLflow database and server; put it on a local disk where homes are on NFS",
    )
    work_dir: Path | None = Field(
        None,
        description="Parsl's run folders while a run lasts; workers must see it; default: `work` in state_dir",
    )
    machine: str | None = Field(None, description="this machine's label; one label for all login nodes of a site")
    config_timeout_s: Annotated[float, Field(gt=0)] = Field(60.0, description="seconds a config may take to load")
    mlflow_timeout_s: Annotated[float, Field(gt=0, le=60)] = Field(
        4.0, description="seconds a run may lose to an MLflow that does not answer"
    )
    server_port: Annotated[int, Field(ge=0, le=65535)] = Field(
        0, description="port of the local MLflow server; 0 takes 5000 or the next free one"
    )

    report_url: Annotated[str, Field(pattern=r"^https?://[^\s<>\\@]+$", max_length=500)] | None = Field(
        None, description="address of the site of `perfdb report`; notes in MLflow link to it"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags first, then the environment, then the file in the root that these two name."""
        del dotenv_settings, file_secret_settings
        named = init_settings().get("root") or env_settings().get("root")
        root = _absolute(Path(named)) if named else find_root(Path.cwd())
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, root / SETTINGS_FILE)

    @field_validator("state_dir")
    @classmethod
    def _fit_for_an_address(cls, path: Path) -> Path:
        if set(str(path)) & set("?#%"):
            raise ValueError("MLflow's database has its path in an address, so it must be free of `?`, `#` and `%`")
        return path

    @field_validator("root")
    @classmethod
    def _absolute_root(cls, root: Path) -> Path:
        return _absolute(root)

    @property
    def registry_path(self) -> Path:
        """The registry, absolute."""
        return self.root / expanded(self.registry)

    @property
    def state_path(self) -> Path:
        """`.perfdb`, absolute."""
        return self.root / expanded(self.state_dir)

    @property
    def work_path(self) -> Path:
        """Where Parsl's run folders lie during a run, absolute."""
        return self.root / expanded(self.work_dir) if self.work_dir else self.state_path / "work"

    @property
    def tracking_uri(self) -> str:
        """MLFLOW_TRACKING_URI when set, else a SQLite database under `state_dir`."""
        return os.environ.get("MLFLOW_TRACKING_URI", "").strip() or self.local_tracking_uri

    @property
    def local_tracking_uri(self) -> str:
        """The SQLite database under `state_dir`."""
        return f"sqlite:///{self.state_path / 'mlflow.db'}"

    @property
    def tracking_is_local(self) -> bool:
        """Whether the mirror is our own database rather than somebody's server."""
        return self.tracking_uri == self.local_tracking_uri


def _absolute(path: Path) -> Path:
    return Path.cwd() / expanded(path)


def can_be_a_path(text: str) -> bool:
    """Whether a file system would take `text` at all: asking it about longer names is an error of its own."""
    return len(text) < 4000 and "\0" not in text and all(len(part.encode()) <= 255 for part in text.split("/"))


def expanded(path: Path) -> Path:
    """`path` with its `~` resolved; as it stands where there is no such user."""
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def find_root(start: Path) -> Path:
    """The nearest folder at or above `start` with a perfdb.toml or a git checkout, else `start`."""
    for folder in (start, *start.parents):
        with contextlib.suppress(PermissionError):  # a folder above that we may not look into
            if (folder / SETTINGS_FILE).is_file() or (folder / ".git").exists():
                return folder
    return start


def load_settings(**flags: Any) -> Settings:
    """The settings in force; a flag that is None counts as not given.

    Raises:
        SettingsError: a value is wrong; names it and where it may come from.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        Path.cwd()
    except FileNotFoundError:
        raise SettingsError("the folder that you are in was deleted. `cd` to one that exists.") from None
    if "root" not in given and not os.environ.get("PERFDB_ROOT"):
        given["root"] = find_root(Path.cwd())
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            there = ", ".join(field for field in Settings.model_fields if field != "root")
            raise SettingsError(
                f"{SETTINGS_FILE} has `{name}`, and there is no such setting; there are {there}. Mend it there "
                "(docs/reference/settings.md explains them)."
            ) from error
        raise SettingsError(
            f"the setting `{name}` is wrong: {first['msg']}. It comes from a flag, from PERFDB_{name.upper()} or from "
            f"{SETTINGS_FILE}; mend it there (docs/reference/settings.md lists them all)."
        ) from error
    except OSError as error:
        raise SettingsError(
            f"{SETTINGS_FILE} cannot be read: {os.strerror(error.errno or 0).lower()}. Mend that (chmod u+r {error.filename}), "
            "or set PERFDB_ROOT to another folder."
        ) from error
    except ValueError as error:  # tomllib: the file is no TOML
        raise SettingsError(f"{SETTINGS_FILE} cannot be read: {error}. Mend it, or move it away.") from error
