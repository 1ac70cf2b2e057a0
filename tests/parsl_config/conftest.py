"""A config under a name, described by a real child under the Python that runs the tests."""

import sys
import textwrap
from pathlib import Path

import pytest

from perfdb.parsl_config import ConfigDescription, describe
from perfdb.redaction import Identity


@pytest.fixture
def described(tmp_path):
    def describe_text(text: str, name: str = "local_fake.py", timeout_s: float = 60) -> ConfigDescription:
        path = tmp_path / name
        path.write_text(textwrap.dedent(text))
        return describe(path, python=Path(sys.executable), timeout_s=timeout_s, identity=Identity())

    return describe_text
