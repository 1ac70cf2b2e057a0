"""Flags before PERFDB_* before perfdb.toml before defaults, and an error that names what is wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from perfdb.errors import SettingsError
from perfdb.settings import SETTINGS_FILE, find_root, load_settings


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """An empty folder, and nothing set."""
    for name in [name for name in os.environ if name.startswith("PERFDB_") or name == "MLFLOW_TRACKING_URI"]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_defaults_lie_under_the_current_folder(here):
    settings = load_settings()
    assert settings.root == here
    assert settings.registry_path == here / "mlruns"
    assert settings.state_path == here / ".perfdb"
    assert settings.work_path == here / ".perfdb" / "work"
    assert settings.machine is None
    assert settings.tracking_uri == f"sqlite:///{here}/.perfdb/mlflow.db"
    assert settings.tracking_is_local


def test_each_source_gives_way_to_the_one_above(here, monkeypatch):
    assert load_settings().config_timeout_s == 60
    (here / SETTINGS_FILE).write_text('config_timeout_s = 1\nmachine = "from-file"\n')
    assert load_settings().config_timeout_s == 1
    monkeypatch.setenv("PERFDB_CONFIG_TIMEOUT_S", "2")
    assert load_settings().config_timeout_s == 2
    assert load_settings(config_timeout_s=3.0).config_timeout_s == 3
    assert load_settings(config_timeout_s=None).config_timeout_s == 2
    assert load_settings().machine == "from-file"


@pytest.mark.parametrize(
    ("name", "value"),
    [("config_timeout_s", "soon"), ("config_timeout_s", "0"), ("mlflow_timeout_s", "61"), ("server_port", "65536")],
)
def test_a_wrong_value_is_told_by_its_name_and_where_it_may_come_from(monkeypatch, name, value):
    monkeypatch.setenv(f"PERFDB_{name.upper()}", value)
    with pytest.raises(SettingsError, match=rf"`{name}` is wrong: .+PERFDB_{name.upper()} .+{SETTINGS_FILE}"):
        load_settings()


def test_an_unknown_setting_in_the_file_is_told(here):
    (here / SETTINGS_FILE).write_text('registri = "mlruns"\n')
    with pytest.raises(
        SettingsError, match=r"has `registri`, and there is no such setting; there are registry, .+settings\.md"
    ):
        load_settings()


@pytest.mark.parametrize("text", [b"registry = ", b"\xff\xfe", b"[[", b"registry = 5\nregistry = 6"])
def test_a_file_that_is_no_toml_is_told(here, text):
    (here / SETTINGS_FILE).write_bytes(text)
    with pytest.raises(SettingsError, match=rf"{SETTINGS_FILE} cannot be read: .+Mend it, or move it away\.$"):
        load_settings()


def test_a_file_that_cannot_be_read_is_told(here):
    (here / SETTINGS_FILE).symlink_to("/proc/self/mem")  # which nobody reads from its begin
    with pytest.raises(SettingsError, match=rf"{SETTINGS_FILE} cannot be read: .+PERFDB_ROOT"):
        load_settings()


def test_a_variable_of_a_run_is_no_setting(monkeypatch):
    monkeypatch.setenv("PERFDB_RUN", "abc")
    monkeypatch.setenv("PERFDB_SOMETHING_NEWER", "1")
    load_settings()


def test_paths_count_from_the_root_and_a_tilde_is_home(here, monkeypatch):
    monkeypatch.setenv("HOME", str(here / "home"))
    monkeypatch.setenv("PERFDB_STATE_DIR", "~/state")
    settings = load_settings(root=here / "elsewhere", registry=Path("records"), work_dir=Path("/scratch"))
    assert settings.registry_path == here / "elsewhere" / "records"
    assert settings.state_path == here / "home" / "state"
    assert settings.work_path == Path("/scratch")


@pytest.mark.parametrize("root", ["sub", "./sub", "~/sub"])
def test_a_root_is_made_absolute(here, monkeypatch, root):
    monkeypatch.setenv("HOME", str(here))
    monkeypatch.setenv("PERFDB_ROOT", root)
    settings = load_settings()
    assert settings.root == here / "sub"
    assert settings.local_tracking_uri == f"sqlite:///{here}/sub/.perfdb/mlflow.db"


@pytest.mark.parametrize("uri", ["http://mlflow.example:5000", " http://mlflow.example:5000 "])
def test_mlflows_own_variable_is_honoured(monkeypatch, uri):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert load_settings().tracking_uri == "http://mlflow.example:5000"
    assert not load_settings().tracking_is_local


def test_an_empty_tracking_variable_counts_as_none(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "  ")
    assert load_settings().tracking_is_local


def test_the_root_is_the_nearest_folder_above_with_a_settings_file_or_a_checkout(here):
    deep = here / "a" / "b" / "c"
    deep.mkdir(parents=True)
    assert find_root(deep) == deep
    (here / ".git").mkdir()
    assert find_root(deep) == here
    (here / "a" / SETTINGS_FILE).write_text("")
    assert find_root(deep) == here / "a"


def test_a_worktrees_git_file_counts_as_a_checkout(here):
    (here / "sub").mkdir()
    (here / ".git").write_text("gitdir: elsewhere\n")
    assert find_root(here / "sub") == here


def test_settings_are_read_from_the_root_not_only_from_the_current_folder(here, monkeypatch):
    (here / SETTINGS_FILE).write_text('machine = "hopper"\n')
    (here / "sub").mkdir()
    monkeypatch.chdir(here / "sub")
    assert load_settings().machine == "hopper"
    assert load_settings().registry_path == here / "mlruns"


def test_the_settings_file_is_the_one_in_the_root_that_was_named(here, monkeypatch):
    (here / SETTINGS_FILE).write_text('machine = "here"\n')
    (here / "results").mkdir()
    (here / "results" / SETTINGS_FILE).write_text('machine = "there"\n')
    assert load_settings(root=here / "results").machine == "there"
    monkeypatch.setenv("PERFDB_ROOT", "results")
    assert load_settings().machine == "there"
