"""Where credentials come from, so that they are told by their place and never by their value."""

from __future__ import annotations

import pytest

from perfdb.tracking.faults import plain
from perfdb.tracking.signin import how_to_sign_in, secrets

URL = "https://mlflow.example"
USER, PASSWORD, TOKEN = "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in (USER, PASSWORD, TOKEN):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def write_credentials(home, text):
    (home / ".mlflow").mkdir()
    (home / ".mlflow" / "credentials").write_text(text)


def test_who_has_no_credentials_is_told_both_ways_to_give_them():
    said = how_to_sign_in(URL)
    assert f"`export {USER}=… {PASSWORD}=…`" in said
    assert "~/.mlflow/credentials" in said


def test_credentials_are_told_by_where_they_stand(home, monkeypatch):
    write_credentials(home, "[mlflow]\nmlflow_tracking_username = fake-ada\nmlflow_tracking_password = FAKE%20-1\n")
    assert "that ~/.mlflow/credentials holds." in how_to_sign_in(URL)
    monkeypatch.setenv(PASSWORD, "FAKE-2")
    assert f"that ~/.mlflow/credentials and {PASSWORD} hold." in how_to_sign_in(URL)
    assert "that MLFLOW_TRACKING_URI holds." in how_to_sign_in("https://fake-ada:FAKE-3@mlflow.example")


def test_a_token_is_asked_for_anew(monkeypatch):
    monkeypatch.setenv(TOKEN, "FAKE-token")
    assert how_to_sign_in(URL) == f"does not take the token that {TOKEN} holds. Put another one there"


def test_what_stands_in_the_credentials_file_is_masked_too(home, monkeypatch):
    write_credentials(home, "[mlflow]\nmlflow_tracking_username = fake-ada\nmlflow_tracking_password = FAKE%1\n")
    monkeypatch.setenv(TOKEN, "FAKE%1-and-more")
    assert secrets() == ["FAKE%1-and-more", "fake-ada", "FAKE%1"]
    assert plain("fake-ada with FAKE%1 or FAKE%1-and-more") == "*** with *** or ***"


@pytest.mark.parametrize("text", ["no section", "[other]\nx = 1\n", "[mlflow]\nmlflow_tracking_username\n", "\x00\xff"])
def test_a_credentials_file_that_is_none_is_no_crash(home, text):
    write_credentials(home, text)
    assert secrets() == []


def test_a_credentials_file_that_cannot_be_read_is_no_crash(home):
    (home / ".mlflow" / "credentials").mkdir(parents=True)
    assert secrets() == []
