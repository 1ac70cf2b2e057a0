"""Masking a config's source: telling literals go, wherever Python lets them stand; all else stays."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfdb.parsl_config import source
from perfdb.redaction import Redactor


def redact(text: str, *secrets: str) -> str:
    return source.redact(text, secrets, Redactor([*secrets, *source.literals(text)]))


MASKED = [
    ('TOKEN = "ab"', 'TOKEN = "<redacted>"'),
    ("x.api_key = b'ab'", "x.api_key = b'<redacted>'"),
    ('f(password=("ab" + x + "cd"))', 'f(password=("<redacted>" + x + "<redacted>"))'),
    ('TOKEN = f"ab{x}cd"', 'TOKEN = f"<redacted>{x}<redacted>"'),
    ('env = {"A": "1", "B": x}', 'env = {"A": "<redacted>", "B": x}'),
    ('HighThroughputExecutor(env=dict(A="1"))', 'HighThroughputExecutor(env=dict(A="<redacted>"))'),
    ('MY_ACCOUNT = "group"\nf(account=MY_ACCOUNT)', 'MY_ACCOUNT = "<redacted>"\nf(account=MY_ACCOUNT)'),
    ('PLACE = "/opt/k"\nf(key_file=PLACE)', 'PLACE = "<redacted>"\nf(key_file=PLACE)'),
    ('SECRETS = [\n    "ab",\n    "cd",\n]', 'SECRETS = [\n    "<redacted>",\n    "<redacted>",\n]'),
    ('TOKEN = """\n  ab\n\n  cd\n"""  # why', 'TOKEN = """\n  <redacted>\n\n  <redacted>\n"""  # why'),
    ('def f(n, token="ab", *, secret="cd"): pass', 'def f(n, token="<redacted>", *, secret="<redacted>"): pass'),
    ('if (pwd := "ab") == token == "cd": pass', 'if (pwd := "<redacted>") == token == "<redacted>": pass'),
    ('é = 1; TOKEN = "ab"; ü = "é"', 'é = 1; TOKEN = "<redacted>"; ü = "é"'),
    ('é = {}; f(ü="x", env={"É": "1"})', 'é = {}; f(ü="x", env={"É": "<redacted>"})'),
    ('x = os.environ.get("A_TOKEN", "ab")', 'x = os.environ.get("A_TOKEN", "<redacted>")'),
    ('key_file="x"  # token: ab', 'key_file="<redacted>"  # token: <redacted>'),
]


@pytest.mark.parametrize(("text", "expected"), MASKED)
def test_a_literal_under_a_telling_name_is_emptied(text, expected):
    assert redact(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        'TOKEN = os.environ["A_TOKEN"]',
        'TOKEN = os.getenv("A_TOKEN")',
        'address="127.0.0.1", encrypted=False',
        '"""A token is asked for when it is needed."""',
        'worker_init = "module load gcc"\r\nx = 1\r\n',
        "x = 1\f\ny = '\u2028'",
        "label = 'slurm'",
    ],
)
def test_what_tells_nothing_stays_byte_for_byte(text):
    assert redact(text) == text


def test_the_parts_of_a_built_secret_are_masked():
    built = 'PART = "hunter"\nX = f"tok-{PART}-{n}" + "2fast"'
    assert (
        redact(built, "tok-hunter-32fast") == 'PART = "<redacted>"\nX = f"<redacted>{PART}<redacted>{n}" + "<redacted>"'
    )


def test_a_word_passed_as_it_stands_is_not_taken_for_a_part():
    assert redact('f(label="condor")', "FAKE-condor-1") == 'f(label="condor")'


def test_source_that_this_python_can_not_parse_is_still_masked_line_by_line():
    assert redact('match = (\nTOKEN = "abcd"\n') == 'match = (\nTOKEN = "<redacted>"\n'


FAKES = st.text("abcXYZ019 {}'#é", min_size=1, max_size=12).map("Qz7".__add__)
NAMES = st.sampled_from(["TOKEN", "db_password", "apiKey", "CLIENT_SECRET"])
FORMS = st.sampled_from(["{n} = {v}", "f({n}={v})", "d = {{'{n}': {v}}}", "x.{n}: str = ({v})", "{n} = [\n  {v},\n]"])


@given(name=NAMES, form=FORMS, secret=FAKES)
@settings(max_examples=150, deadline=None)
def test_a_planted_literal_never_survives_and_lines_stay(name, form, secret):
    text = "import os\n" + form.format(n=name, v=repr(secret)) + "\nconfig = 1\n"
    masked = redact(text)
    assert "Qz7" not in masked
    assert masked.split("\n")[0] == "import os"
    assert masked.split("\n")[-2:] == ["config = 1", ""]
    assert masked.count("\n") == text.count("\n")
    assert redact(masked) == masked
