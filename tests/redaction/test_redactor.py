"""What is masked, what is left alone, and what holds for any text."""

import signal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfdb.redaction import Identity, Redactor, redactor

IDENTITY = Identity(
    users=("fakealice", "fk"),
    homes=("/gpfs/u/fakealice",),
    hosts=("fakelogin1.site.invalid", "fakelogin1"),
    addresses=("9.9.9.10",),
)
REDACTOR = Redactor(["s3cr3t-value", "zq1"], IDENTITY)

MASKED = [
    ("export TOKEN=abc", "export TOKEN=<redacted>"),
    ("export API_KEY='a b' && run", "export API_KEY='<redacted>' && run"),
    (r"one\nauth=abc", r"one\nauth=<redacted>"),
    ("setenv GITHUB_TOKEN abc", "setenv GITHUB_TOKEN <redacted>"),
    ("dbPassword: a b c", "dbPassword: <redacted>"),
    ("run --api-key zzz --n 3", "run --api-key <redacted> --n 3"),
    ("run --password=zzz --n 3", "run --password=<redacted> --n 3"),
    ('["--token", "abc"]', '["--token", "<redacted>"]'),
    ('{"secret": "a\\"b", "n": 3}', '{"secret": "<redacted>", "n": 3}'),
    ('{\\"secret\\": \\"ab\\"}', '{\\"secret\\": \\"<redacted>\\"}'),
    ("TOKENS = ['abc', 'def']", "TOKENS = [<redacted>]"),
    ("#SBATCH --comment=token:abc", "#SBATCH --comment=token:<redacted>"),
    ("#SBATCH -A fakeproj -N 2", "#SBATCH -A <redacted> -N 2"),
    ("#SBATCH --account=fakeproj", "#SBATCH --account=<redacted>"),
    ("#SBATCH --mail-user=someone", "#SBATCH --mail-user=<user>"),
    ("Authorization: Bearer abc", "Authorization: <redacted>"),
    ("got Bearer abcdef123", "got Bearer <redacted>"),
    ('get("X_TOKEN", "fallback")', 'get("X_TOKEN", "<redacted>")'),
    ('token: str = "abc"', 'token: str = "<redacted>"'),
    ("key = '" + "0a1b" * 8 + "'", "key = '<redacted>'"),
    ("https://h.invalid.edu/x?token=abc&n=2", "https://<host>/x?token=<redacted>&n=2"),
    ("postgresql+psycopg2://user:pa@ss/w@db.invalid:5432/m", "postgresql+psycopg2://<redacted>@<host>:5432/m"),
    ("https://github.com:x@github.com/a/b", "https://<redacted>@<host>/a/b"),
    ("id AKIAFAKEFAKEFAKEFAKE.", "id <redacted>."),
    ("ghp_" + "f4ke" * 9, "<redacted>"),
    ("glpat-fakefakefakefake12", "<redacted>"),
    ("xoxb-fake-fake-fake", "<redacted>"),
    ("eyJmYWtlZmFrZQ.eyJmYWtlZmFrZQ.c2ln", "<redacted>"),
    ("tcp://10.1.2.3:54000", "tcp://<address>:54000"),
    ("ip=203.0.113.7, fe80::1 and [2001:db8::5]:80", "ip=<address>, <address> and [<address>]:80"),
    ("host fd00::1:", "host <address>:"),
    ("link aa:bb:cc:dd:ee:ff", "link <address>"),
    ("ip-10-0-0-1 is up", "<host> is up"),
    ("cd /home/someone/x; ls /Users/someone", "cd <home>/x; ls <home>"),
    ("cat /root/x ~someone/y /gpfs/u/fakealice/z", "cat <home>/x <home>/y <home>/z"),
    ("fake@mail.invalid fake@fakelogin1", "<user>@<host> <user>@<host>"),
    ("fakealice on FAKELOGIN1, fakelogin1.site.invalid, nid7.site.invalid", "<user> on <host>, <host>, <host>"),
    ("/scratch/fk/x", "/scratch/<user>/x"),
    ("9.9.9.10 is here", "<address> is here"),
    ("xxs3cr3t-valuexx s3cr3t%2Dvalue", "xx<redacted>xx s3cr3t%2Dvalue"),
    ("-----BEGIN PRIVATE KEY-----\nZmFrZQ==\n-----END PRIVATE KEY-----\nx", None),
]


@pytest.mark.parametrize(("text", "expected"), [pair for pair in MASKED if pair[1]])
def test_a_secret_or_an_identity_is_masked(text, expected):
    assert REDACTOR.text(text) == expected
    assert REDACTOR.find(text)
    assert REDACTOR.find(expected) == []


CLEAN = [
    "module load python/3.11.4 gcc/12.1.0.1",
    "parsl==2026.10.26, foo==1.2.3.4, v1.2.3.4, version 8.9.10.11",
    "Tasks per second: 733.142 after 12:30:45, walltime 1-00:00:00",
    "listening on 127.0.0.1:5000, 0.0.0.0, ::1, netmask 255.255.255.0",
    "see https://parsl.readthedocs.io/en/stable and http://localhost:8080/",
    'TOKEN = os.environ["MY_TOKEN"]',
    "password=None, token=token, secret=self.secret, auth=True, session={session}",
    "export TOKEN=$TOKEN API_KEY=${API_KEY} SECRET=$(cat secret.txt)",
    "def load(token: str, n: int = 3) -> None:",
    "max_tokens=100, token_count=3, tokenizer=fast, author=nobody, keyboard=us",
    "cd $HOME/x ~/y /home/$USER/z /homework",
    "x[1::2] a::b std::abc image@sha256:0a1b actions/checkout@v4 @python_app",
    "fakealicex unfakelogin1 fk a zq1",
    "0a1b2c3d" * 8,
    "address=address_by_hostname(), provider=LocalProvider(),",
    "sqlite:///monitoring.db",
]


@pytest.mark.parametrize("text", CLEAN)
def test_clean_text_is_left_alone(text):
    assert REDACTOR.text(text) == text
    assert REDACTOR.find(text) == []


def test_each_line_of_a_key_in_armour_is_masked():
    text = 'KEY = """-----BEGIN PRIVATE KEY-----\n  ZmFrZQ==\nZmFr\n-----END PRIVATE KEY-----"""\nconfig = 1'
    expected = (
        'KEY = """-----BEGIN PRIVATE KEY-----\n  <redacted>\n<redacted>\n-----END PRIVATE KEY-----"""\nconfig = 1'
    )
    assert Redactor().text(text) == expected
    one_line = r'"-----BEGIN PRIVATE KEY-----\nZmFrZQ==\n-----END PRIVATE KEY-----\n"'
    assert Redactor().text(one_line) == '"-----BEGIN PRIVATE KEY-----<redacted>-----END PRIVATE KEY-----\\n"'


def test_armour_that_never_ends_does_not_swallow_the_rest():
    assert Redactor().text("-----BEGIN PRIVATE KEY-----\nZmFr\nnot a key") == (
        "-----BEGIN PRIVATE KEY-----\n<redacted>\nnot a key"
    )


def test_a_line_of_a_key_is_masked_when_it_arrives_alone():
    assert Redactor().text("MIIFake0" * 8) == "<redacted>"


def test_a_secret_of_several_lines_is_masked_line_by_line():
    masks = Redactor(["first fake\n  second fake\nab"])
    assert masks.text("  second fake") == "  <redacted>"
    assert masks.text("say first fake.") == "say <redacted>."
    assert masks.text("ab") == "ab"


def test_text_that_never_settles_is_masked_whole(monkeypatch):
    monkeypatch.setattr(redactor, "_PASSES", 1)
    assert Redactor().text("keep this\ntoken=abc and more") == "keep this\n<redacted>"


def test_a_very_short_secret_is_masked_in_its_place_only():
    masks = Redactor(["ab", "c"])
    assert masks.text("abc cab TOKEN=ab") == "abc cab TOKEN=<redacted>"


def test_a_secret_is_masked_in_its_escaped_forms():
    masks = Redactor(['fake "quoted" & ödd/one'])
    for form in (
        r"fake \"quoted\" & ödd/one",
        r"fake \"quoted\" & \u00f6dd/one",
        "fake%20%22quoted%22%20%26%20%C3%B6dd%2Fone",
        "fake+%22quoted%22+%26+%C3%B6dd%2Fone",
    ):
        assert masks.text(f"x{form}x") == "x<redacted>x"


def test_a_finding_tells_where_and_does_not_show_what():
    (finding,) = REDACTOR.find("clean\nexport TOKEN=abc")
    assert (finding.kind, finding.line, finding.column, finding.matched) == ("secret", 2, 14, "abc")
    assert "abc" not in repr(finding)


def test_names_that_say_nobody_are_masked_in_paths_only():
    masks = Redactor(identity=Identity(users=("root", "a"), homes=("/root", "/"), hosts=("localhost", "node")))
    assert masks.text("root runs a node on localhost as a") == "root runs a node on localhost as a"
    assert masks.text("/root/x /scratch/a/x") == "<home>/x /scratch/<user>/x"


def test_who_we_are_is_found_without_a_name_server():
    identity = Identity.here()
    assert identity.hosts
    assert identity.homes


PIECES = st.sampled_from(
    [*"abz019 =:\"'\\@/.,;-_~[]{}()<>#$%&|\n\t\r", "token", "TOKEN=", "password: ", "--secret ", "://", "/home/",
     "/root", "10.0.0.1", "fe80::1", "fakealice", "fakelogin1", "s3cr3t-value", "<redacted>", "<host>", "<user>",
     "Bearer ", "-----BEGIN X-----", "-----END X-----", "AKIAFAKEFAKEFAKEFAKE", "user@host", "é", "os.environ"]
)  # fmt: skip
HOSTILE = st.lists(PIECES, max_size=40).map("".join) | st.text(max_size=80)


@given(HOSTILE)
@settings(max_examples=600, deadline=None)
def test_masking_twice_changes_nothing_more(text):
    once = REDACTOR.text(text)
    assert REDACTOR.text(once) == once
    assert REDACTOR.find(once) == []


@given(HOSTILE)
@settings(max_examples=200, deadline=None)
def test_lines_stay_in_their_places(text):
    once = REDACTOR.text(text)
    assert once.count("\n") == text.count("\n")
    found = {finding.line for finding in REDACTOR.find(text)}
    for number, (before, after) in enumerate(zip(text.split("\n"), once.split("\n"), strict=True), start=1):
        assert (before == after) == (number not in found)


@given(before=HOSTILE, after=HOSTILE)
@settings(max_examples=200, deadline=None)
def test_a_given_secret_never_survives(before, after):
    assert "s3cr3t-value" not in REDACTOR.text(f"{before}s3cr3t-value{after}")


WORDS = st.sampled_from(
    ["run", "task", "block", "12", "0.5", "max_blocks=4", "parsl", "module load", "'x'", "(a,", "#"]
)


@given(st.lists(WORDS, max_size=20).map(" ".join))
def test_plain_words_are_left_alone(text):
    assert REDACTOR.text(text) == text


SECRET_VALUES = st.text("ABCDEFGHJKMNPQRSTUVWXYZ23456789", min_size=8, max_size=24).map("Qz7".__add__)
PLACES = st.sampled_from(
    ["export MY_TOKEN={}", "password: {}", 'x = dict(api_key="{}")', "run --auth-token {} -v", "a=1&secret={}&b=2",
     "ftp://joe:{}@files.invalid/x", 'json {{"private_key": "{}"}}', "# passphrase: {}", "Cookie: id={}; a=b",
     "setdefault('APP_SECRET', '{}')", "/home/{}/x", "{}@mail.invalid", "hf_{}abcdefghijklmnopqrst"]
)  # fmt: skip


@given(place=PLACES, secret=SECRET_VALUES, around=st.sampled_from(["", "  ", "x; ", "echo 'a' "]))
@settings(max_examples=200, deadline=None)
def test_a_secret_in_a_telling_place_never_survives(place, secret, around):
    assert secret not in Redactor().text(around + place.format(secret))


HOSTILE_RUNS = [
    "a", '"', '\\"', "token=", 'token="', "token: ", "a@", "1.1.1.1.", "a:", "x://", "x://a@", "/home/", "~a", " ",
    "-----BEGIN X-----", "eyJaaaaaaaaa.", "token=['", "token='\"", "token=None ", "cookie:x ", "login1.",
]  # fmt: skip


@pytest.mark.parametrize("run", HOSTILE_RUNS)
def test_a_long_hostile_line_ends_in_good_time(run):
    """0.1 s here. Quadratic time would be several minutes: the alarm tells them apart on any machine."""

    def too_slow(*_):
        pytest.fail("masking takes longer than linear time")

    before = signal.signal(signal.SIGALRM, too_slow)
    signal.alarm(60)
    try:
        assert "\n" not in REDACTOR.text(run * (200_000 // len(run)))
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
