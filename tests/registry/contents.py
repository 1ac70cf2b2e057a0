"""Records with files, and whether a registry holds nothing but whole ones."""

from __future__ import annotations

import subprocess
from pathlib import Path

from perfdb.record import Artifact, Record, sha256_hex
from perfdb.registry import Registry
from perfdb.registry.store import read_record
from tests.tracking.records import make_record


def with_files(run_name: str, size: int = 2000) -> tuple[Record, dict[str, bytes]]:
    """A record with two artifacts; the same for the same name."""
    files = {"artifacts/01-rep-1.log": run_name.encode() * 10, "artifacts/config.py": b"x" * size}
    artifacts = tuple(Artifact(file=n, sha256=sha256_hex(data), bytes=len(data)) for n, data in files.items())
    return make_record(run_name=run_name, artifacts=artifacts), files


def final_folders(root: Path) -> list[Path]:
    """Every folder at the depth of a record's, whatever is in it."""
    return sorted(p for p in root.glob("*/*/*/*") if p.is_dir() and not p.relative_to(root).parts[0].startswith("."))


def assert_all_whole(root: Path) -> int:
    """Every folder under a final name is a record that is complete, by our own reading and by sha256sum's; their number."""
    folders = final_folders(root)
    assert folders == Registry(root).folders()
    sums = []
    for folder in folders:
        record = read_record(folder / "record.json")
        listed = [line.split("  ", 1) for line in (folder / "SHA256SUMS").read_text().splitlines()]
        sums += [f"{digest}  {folder.relative_to(root)}/{name}\n" for digest, name in listed]
        there = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()} - {"SHA256SUMS"}
        assert there == {name for _, name in listed} == {"record.json", *(a.file for a in record.artifacts)}
    if sums:
        subprocess.run(
            ["sha256sum", "--check", "--strict", "--quiet"], cwd=root, input="".join(sums), text=True, check=True
        )
    return len(folders)
