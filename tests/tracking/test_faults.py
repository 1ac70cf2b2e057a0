"""What a person reads when MLflow fails."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from perfdb.tracking.faults import address, plain, shown, trouble


def test_a_password_in_the_address_is_masked():
    assert shown("https://fake-user:fake-pass@mlflow.example/x") == "https://***@mlflow.example/x"


def test_a_password_with_odd_characters_is_masked_too():
    assert "fake" not in shown("https://fake-user:fake/p@ss@mlflow.example:5000/x")


def test_a_token_after_a_question_mark_is_masked():
    assert shown("http://mlflow.example/?token=fake-token") == "http://mlflow.example/?***"


def test_an_address_is_the_same_for_everybody_who_signs_in_there():
    assert address("https://fake-user:fake/p@ss@mlflow.example:5000/x") == "https://mlflow.example:5000/x"
    assert address("postgresql://fake-user:fake-pass@db/x?password=fake-pass") == "postgresql://db/x"
    assert address("sqlite:////a/b.db") == "sqlite:////a/b.db"


def test_the_password_variable_is_masked_wherever_it_turns_up(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "fake-password-1")
    assert plain("no fake-password-1 here") == "no *** here"


def test_the_paragraph_ends_with_what_to_type():
    assert str(trouble("http://x", "is down")).endswith("`perfdb sync`.")


@given(st.text(max_size=5000))
def test_whatever_a_server_answers_becomes_one_short_printable_line(text):
    line = plain(text)
    assert len(line) <= 300
    assert line.isprintable()
