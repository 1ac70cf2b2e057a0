"""Records of every shape that the model allows."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st

from perfdb.record import (
    Artifact,
    Check,
    Code,
    ConfigRef,
    Environment,
    Finding,
    Host,
    Load,
    Metric,
    Origin,
    Record,
    SampleFile,
    Sitting,
)

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
digest = st.text("0123456789abcdef", min_size=64, max_size=64)
name = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)
label = st.from_regex(r"[A-Za-z][A-Za-z0-9._-]{0,20}[A-Za-z0-9_-]", fullmatch=True)
number = st.floats(allow_nan=False, allow_infinity=False)
amount = st.floats(0, allow_infinity=False)
count = st.integers(0, 2**53 - 1)
instant = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC))
scalar = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | number | text
scalars = st.dictionaries(text, scalar, max_size=4)
file_name = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,8}(/[A-Za-z0-9][A-Za-z0-9._-]{0,8})?", fullmatch=True)
direction = st.sampled_from(["higher", "lower", "none"])
one_value = st.builds(
    Metric, name=name, unit=text, direction=direction, value=number, step=st.none() | st.integers(1, 9)
)
many_values = st.builds(
    Metric, name=name, unit=text, direction=direction, values=st.lists(number, min_size=1, max_size=3).map(tuple)
)
host = st.builds(
    Host,
    pseudonym=st.none() | text,
    cpu_count=st.none() | count,
    cpu_limit=st.none() | amount,
    packages=st.dictionaries(text, text, max_size=2),
)
load = st.builds(Load, one=amount, five=amount, fifteen=amount)


def few(strategy):
    return st.lists(strategy, max_size=2).map(tuple)


records = st.builds(
    Record.seal,
    family=label,
    experiment=label,
    run_name=st.from_regex(r"[a-zé][a-zé ]{0,10}[a-zé]", fullmatch=True),
    status=st.sampled_from(["ok", "invalid", "failed", "timeout", "interrupted"]),
    reason=st.none() | text,
    started_at=instant,
    ended_at=instant,
    duration_s=amount,
    spec=scalars,
    params=scalars,
    config=st.none() | st.builds(ConfigRef, name=text, source_sha256=digest, fingerprint=digest),
    environment=st.builds(
        Environment,
        machine=label,
        submit_host=st.none() | host,
        workers=few(host),
        scheduler=st.none() | text,
        scheduler_settings=st.none()
        | st.dictionaries(
            st.from_regex(r"[A-Za-z][A-Za-z0-9_.]{0,9}", fullmatch=True),
            st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=9),
            min_size=1,
            max_size=3,
        ),
        load_at_start=st.none() | load,
        load_at_end=st.none() | load,
    ),
    code=st.builds(Code, perfdb_version=text, measured=st.dictionaries(text, text, max_size=2)),
    metrics=few(one_value | many_values),
    checks=few(st.builds(Check, name=name, passed=st.booleans(), detail=text)),
    findings=few(st.builds(Finding, name=name, value=text, evidence=text)),
    samples=few(st.builds(SampleFile, file=file_name, sha256=digest, bytes=count, rows=count, columns=few(text))),
    artifacts=few(st.builds(Artifact, file=file_name, sha256=digest, bytes=count)),
    origin=st.builds(Origin, kind=st.sampled_from(["measured", "imported"]), source=st.none() | text),
    tags=st.none() | st.dictionaries(st.from_regex(r"[A-Za-z][A-Za-z0-9 ._-]{0,9}", fullmatch=True), text, max_size=2),
    overrides=st.none() | scalars,
    sitting=st.none()
    | st.builds(
        Sitting,
        uuid=st.text("0123456789abcdef", min_size=32, max_size=32),
        turns=st.sets(st.integers(1, 99), max_size=3).map(sorted).map(tuple),
    ),
    reproduces=st.none() | st.text("0123456789abcdef", min_size=16, max_size=16),
)
