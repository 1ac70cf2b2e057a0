"""`--mem` as people type it."""

from __future__ import annotations

import pytest

from perfdb.errors import UsageError
from perfdb.minislurm.sizes import memory_mb


@pytest.mark.parametrize(
    ("text", "megabytes"),
    [
        ("4GB", 4096),
        ("4096", 4096),
        ("512M", 512),
        ("1.5G", 1536),
        ("1.5g", 1536),
        ("2 GiB", 2048),
        ("1T", 1_048_576),
        ("3K", 1),
        ("1025K", 2),
    ],
)
def test_an_amount_is_whole_megabytes_rounded_up(text: str, megabytes: int) -> None:
    assert megabytes == memory_mb(text)


@pytest.mark.parametrize(
    "text", ["", "lots", "-4GB", "4XB", "4G4", "1e9", "nan", "4,5G", "GB", "0x10", "٣", "4GB\n4", "9" * 400]
)
def test_what_is_no_amount_is_refused_with_one_that_is(text: str) -> None:
    with pytest.raises(UsageError, match=r"is no amount of memory\. Type .* --mem 4GB\.$"):
        memory_mb(text)


@pytest.mark.parametrize("text", ["0", "0GB", "0.0"])
def test_no_memory_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"is no memory.* --mem 512M\.$"):
        memory_mb(text)
