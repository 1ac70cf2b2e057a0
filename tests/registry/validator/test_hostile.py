"""Thousands of records that somebody tampered with: none is accepted, none breaks the validator, none is dear to judge."""

from __future__ import annotations

import gc
import io
import json
import os
import random
import resource
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pyarrow
import pyarrow.parquet
import pytest

from perfdb.record.canonical import canonical_bytes, record_id_of
from perfdb.registry.samples import to_parquet
from perfdb.registry.validator.folder import Means
from perfdb.registry.validator.limits import LARGEST_RECORD_FILE, MIB
from perfdb.registry.validator.parquet import ParquetReader
from perfdb.registry.validator.privacy import Search
from perfdb.registry.validator.report import Findings
from perfdb.registry.validator.tree import FolderTree
from perfdb.registry.validator.validate import judge_tree
from tests.registry.validator.honest import RULES, Draft, honest, samples_of
from tests.registry.validator.test_folder import SEALED

WHOLE = 2400
MOST_CPU_S = 1.0
MOST_MEMORY = 200 * MIB
NAMES = ("record.json", "samples.parquet", "artifacts/01-rep-1.log", "artifacts/config.py", "SHA256SUMS")
Tamper = Callable[[Path, random.Random], None]


@dataclass
class Judge:
    """A validator that stays up, and what it costs. What a test builds meanwhile in this process is not counted."""

    means: Means
    idle_child: int = 0
    longest_s: float = 0.0
    most_memory: int = 0

    def faults(self, root: Path) -> list[str]:
        """Judge a registry, and hold what that took against the bounds."""
        gc.collect()
        gc.freeze()  # what pytest holds would be gone through again and again, and is no part of the cost
        Path("/proc/self/clear_refs").write_text("5")  # the highest mark so far is forgotten
        before, cpu_s = memory_of(os.getpid(), "VmRSS"), self._cpu_s()
        findings = Findings()
        tree = FolderTree(root)
        judge_tree(tree, tree.items(), self.means, findings, lambda _: None)
        took_s = self._cpu_s() - cpu_s
        child = max(0, memory_of(self.child.pid, "VmHWM") - self.idle_child) if self.child else 0
        above = memory_of(os.getpid(), "VmHWM") - before + child
        found = [f"{fault.code} {fault.problem}" for fault in findings.faults]
        if self.idle_child:
            assert took_s <= MOST_CPU_S, (took_s, found)
            assert above <= MOST_MEMORY, (above, found)
            self.longest_s, self.most_memory = max(self.longest_s, took_s), max(self.most_memory, above)
        return found

    @property
    def child(self) -> psutil.Process | None:
        process = self.means.parquet._child
        return psutil.Process(process.pid) if process else None

    def _cpu_s(self) -> float:
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        alive = self.child.cpu_times() if self.child else None
        return time.process_time() + ended.ru_utime + ended.ru_stime + (alive.user + alive.system if alive else 0.0)


def memory_of(pid: int, what: str) -> int:
    return int(Path(f"/proc/{pid}/status").read_text().partition(f"{what}:")[2].split()[0]) * 1024


@pytest.fixture
def judge(tmp_path: Path) -> Iterator[Judge]:
    with ParquetReader() as parquet:
        judge = Judge(Means(RULES, Search(None), parquet, datetime.now(UTC)))
        honest().write(tmp_path / "honest")
        assert judge.faults(tmp_path / "honest") == []
        assert judge.child is not None
        judge.idle_child = memory_of(judge.child.pid, "VmRSS")
        yield judge


def write_over(path: Path, data: bytes) -> None:
    path.unlink()
    path.write_bytes(data)


def flip(folder: Path, chance: random.Random) -> None:
    path = folder / chance.choice(NAMES)
    data = bytearray(path.read_bytes())
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    write_over(path, bytes(data))


def cut(folder: Path, chance: random.Random) -> None:
    path = folder / chance.choice(NAMES)
    data = path.read_bytes()
    write_over(path, data[: chance.randrange(len(data))])


def append(folder: Path, chance: random.Random) -> None:
    path = folder / chance.choice(NAMES)
    write_over(path, path.read_bytes() + chance.choice([b"\n", b" ", b"\0" * 100, b"{}"]))


def swap(folder: Path, chance: random.Random) -> None:
    other = honest(chance.randrange(10**6, 2 * 10**6)).all_files()
    name = chance.choice([name for name in NAMES if (folder / name).read_bytes() != other[name]])
    write_over(folder / name, other[name])


def lead_out(folder: Path, chance: random.Random) -> None:
    name = chance.choice(NAMES)
    (folder / name).unlink()
    target = chance.choice(
        ["/dev/zero", "/etc/passwd", "../../../../../../x", ".", "/proc/self/mem", f"{folder}/record.json"]
    )
    (folder / name).symlink_to(target)


def link_a_folder(folder: Path, chance: random.Random) -> None:
    shutil.rmtree(folder / "artifacts")
    (folder / "artifacts").symlink_to(chance.choice(["/", ".", "..", "/dev", "/proc/self"]))


def pipe(folder: Path, chance: random.Random) -> None:
    name = chance.choice(NAMES)
    (folder / name).unlink()
    os.mkfifo(folder / name)


def add_a_file(folder: Path, chance: random.Random) -> None:
    name = chance.choice(
        ["..\\..\\x", "x\ny", "\x1b[31m", "CON", "a b", "é", "x" * 255, ".git", "record.json~", "setup.py"]
    )
    (folder / chance.choice([".", "artifacts"]) / name).write_bytes(b"x")


def remove(folder: Path, chance: random.Random) -> None:
    (folder / chance.choice(NAMES)).unlink()


def move(folder: Path, chance: random.Random) -> None:
    parts = list(folder.parts[-4:])
    parts[chance.randrange(4)] = chance.choice(
        ["cori", "2026-10", "0" * 16, "2026-13", "123", "..x", "_machines", "a b"]
    )
    target = folder.parents[3].joinpath(*parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    folder.rename(target)


def sealed_text(folder: Path, text: bytes) -> None:
    """Any text for a record, with the sums to match."""
    write_over(folder / "record.json", text)


def odd_json(folder: Path, chance: random.Random) -> None:
    data = (folder / "record.json").read_bytes()
    text = chance.choice(
        [
            data.replace(
                b'"duration_s":33.5',
                b'"duration_s":' + chance.choice([b"NaN", b"Infinity", b"-1", b"1e999", b"9" * 5000]),
            ),
            data[:-1] + b',"status":"ok"}',
            b"[" * 100_000,
            b'{"a":' * 100_000,
            data.replace(b'"spec":{', b'"spec":{"a":' + b"[" * 5000 + b"]" * 5000 + b","),
            b"\xef\xbb\xbf" + data,
            data.replace(b"run ", b"run\xff"),
            data.replace(b"run ", b"run\\ud800"),
            data.replace(b"run ", b"run \\u0000"),
            data.replace(b'"spec":{', b'"spec":{"a":"' + b"x" * (2 * MIB) + b'",'),
            b"{" + b",".join(b'"k%d":0' % n for n in range(19_999)) + b"}",
            b"{" + b",".join(b'"k%d":0' % n for n in range(90_000)) + b"}",
            data.replace(b'"params":{', b'"params":{' + b"".join(b'"%d":{},' % n for n in range(19_000))),
            data.replace(b'"metrics":[', b'"metrics":[' + b"{}," * 19_000),
            b"{" + b",".join(b'"%d":[]' % n for n in range(1_000_000)) + b"}",
            b"",
            b"null",
            b'{"schema_version":99999999999999999999}',
            b'{"schema_version":2}',
            b'{"schema_version":true}',
            data.replace(
                b'"schema_version":1',
                b'"schema_version":' + chance.choice([b"0", b"-1", b"1.0", b"2", b'"1"', b"1e400"]),
            ),
        ]
    )
    assert text != data
    sealed_text(folder, text)


RAW: tuple[Tamper, ...] = (
    flip,
    flip,
    flip,
    cut,
    append,
    swap,
    swap,
    lead_out,
    link_a_folder,
    pipe,
    add_a_file,
    remove,
    move,
    odd_json,
    odd_json,
)


def reseal(change: Callable[[Draft], object]) -> Callable[[Draft, random.Random], None]:
    def tamper(draft: Draft, chance: random.Random) -> None:
        change(draft)

    return tamper


def edited_number(draft: Draft, chance: random.Random) -> None:
    """Numbers that samples or iterations contradict."""
    metric = chance.choice([m for m in draft.document["metrics"] if "step" not in m])
    factor = chance.choice([0.5, 1.0001, 1 + 1e-9, 3, 1e6, -1])
    for key in ("value", "values"):
        if key in metric:
            metric[key] = metric[key] * factor if key == "value" else [value * factor for value in metric[key]]


def edited_iteration(draft: Draft, chance: random.Random) -> None:
    metric = chance.choice(
        [m for m in draft.document["metrics"] if m.get("step", 1) > 1 and m["name"] != "iteration_tasks_per_s"]
    )
    metric["value"] *= chance.choice([0.5, 1.5, 1 + 1e-6])


def planted_secret(draft: Draft, chance: random.Random) -> None:
    fake = chance.choice(
        [
            "ghp_" + "a1" * 15,
            "AKIA" + "A" * 16,
            "password=opensesame1",
            "/home/somebody/x",
            "x@host.example.net",
            "10.9.8.7",
        ]
    )
    where = chance.choice(["spec", "params", "detail", "tags", "log", "package", "name"])
    if where in ("spec", "params"):
        draft.document[where]["note"] = f"see {fake}"
    elif where == "detail":
        draft.document["checks"][0]["detail"] = f"see {fake}"
    elif where == "tags":
        draft.document["tags"] = {"note": f"see {fake}"}
    elif where == "log":
        draft.files["artifacts/01-rep-1.log"] = b"line\n" * chance.randrange(20_000) + f"see {fake}\n".encode()
    elif where == "package":
        draft.document["environment"]["submit_host"]["packages"][f"see {fake}"] = "1.0"
    else:
        draft.document["code"]["measured"][f"see {fake}"] = "1.0"


def slow_text(draft: Draft, chance: random.Random) -> None:
    """Text that is dear to search, and ends in what must be found."""
    unit = chance.choice(
        [b"1:2:3:: ", b"a\n", b"key=1\n", b"a@b ", b"token \n", b"-----BEGIN X-----\n", b"\\\"'", b"://", b"~a/", b"=:"]
    )
    draft.files["artifacts/01-rep-1.log"] = unit * (500_000 // len(unit)) + b"\npassword=opensesame\n"


def odd_parquet(draft: Draft, chance: random.Random) -> None:
    draft.files["samples.parquet"] = chance.choice(BOMBS)(chance)


def as_parquet(columns: dict[str, Any], **options: Any) -> bytes:
    sink = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), sink, **options)
    return sink.getvalue()


def lying_footer(chance: random.Random) -> bytes:
    """Somewhere in the footer a byte says something else."""
    data = bytearray(to_parquet(samples_of(0)))
    length = int.from_bytes(data[-8:-4], "little")
    for _ in range(chance.randrange(1, 4)):
        data[-8 - 1 - chance.randrange(length)] = chance.randrange(256)
    return bytes(data) + b""


def lying_length(chance: random.Random) -> bytes:
    data = to_parquet(samples_of(0))
    return data[:-8] + chance.choice([0, 1, 2**31, 2**32 - 1, 70_000]).to_bytes(4, "little") + b"PAR1"


BOMBS: tuple[Callable[[random.Random], bytes], ...] = (
    lying_length,
    lambda _: as_parquet({"a": pyarrow.array([0] * 3_000_000)}),
    lambda _: as_parquet({"a": pyarrow.array(["x" * MIB] * 60)}, compression="zstd"),
    lambda _: as_parquet({"a": pyarrow.array(["x" * 100_000] * 3000).dictionary_encode()}, compression="gzip"),
    lambda _: as_parquet({"a": pyarrow.array(["x" * 9_000] * 3000)}, compression="zstd", use_dictionary=False),
    lambda _: as_parquet({f"c{n}": [0] for n in range(2000)}),
    lambda _: as_parquet({"a": [[[[[1]]]]]}),
    lambda _: as_parquet({"a": [{"b": {"c": 1}}]}),
    lambda _: as_parquet({"a": [b"\x80\x04."]}),
    lambda _: as_parquet({"a": [datetime.now(UTC)]}),
    lambda _: as_parquet({"a": pyarrow.array([2**64 - 1], pyarrow.uint64())}),
    lambda _: as_parquet({"a": list(range(2000))}, row_group_size=1),
    lambda _: as_parquet({"a": [float("nan")]}),
    lambda chance: chance.randbytes(2000),
    lambda chance: b"PAR1" + chance.randbytes(2000) + (1500).to_bytes(4, "little") + b"PAR1",
    lambda _: b"PK\x03\x04" + b"\0" * 1000,
)
RESEALED: tuple[Callable[[Draft, random.Random], None], ...] = (
    *(reseal(change) for change, _ in SEALED.values()),
    *[edited_number] * 12,
    *[edited_iteration] * 8,
    *[planted_secret] * 12,
    *[odd_parquet] * 16,
    *[slow_text] * 4,
)


def test_the_child_that_reads_parquet_can_neither_write_nor_grow(judge: Judge):
    assert judge.child is not None
    most, _ = judge.child.rlimit(resource.RLIMIT_AS)
    assert most - judge.child.memory_info().vms <= 100 * MIB
    assert judge.child.rlimit(resource.RLIMIT_FSIZE) == (0, 0)


@pytest.mark.drill
def test_no_tampered_record_is_accepted_and_each_is_judged_within_bounds(
    judge: Judge, tmp_path: Path, drill_share: float
):
    for number in range(int(WHOLE * drill_share)):
        chance = random.Random(number)
        root = tmp_path / f"{number}"
        if number % 2:
            tamper = chance.choice(RAW)
            tamper(honest(number).write(root), chance)
        else:
            resealed = RESEALED[(number // 2) % len(RESEALED)] if drill_share == 1.0 else chance.choice(RESEALED)
            draft = honest(number)
            resealed(draft, chance)
            draft.write(root)
        assert judge.faults(root), f"number {number} was accepted"
        shutil.rmtree(root)
    print(f"at most {judge.longest_s:.2f} s of processor time and {judge.most_memory / MIB:.0f} MiB above idle")


@pytest.mark.drill
def test_a_parquet_file_that_lies_somewhere_never_breaks_the_validator(
    judge: Judge, tmp_path: Path, drill_share: float
):
    """Not every byte of such a file means anything: one that reads as before, or as other plain samples, is no lie."""
    for number in range(int(600 * drill_share)):
        chance = random.Random(number)
        draft = honest(number)
        data = bytearray(draft.files["samples.parquet"])
        if number % 2:
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        draft.files["samples.parquet"] = bytes(data) if number % 2 else lying_footer(chance)
        draft.write(tmp_path / f"{number}")
        judge.faults(tmp_path / f"{number}")
        shutil.rmtree(tmp_path / f"{number}")


ITERATIONS = b'{"direction":"none","name":"task_count","repetition":1,"step":1,"unit":"tasks","value":1},'
DENSE: dict[str, Callable[[bytes, int], bytes]] = {
    "empty objects": lambda _, most: b'{"metrics":[' + b"{}," * (most // 3) + b"{}]}",
    "empty lists": lambda _, most: b'{"metrics":[' + b"[]," * (most // 3) + b"[]]}",
    "many keys": lambda _, most: b'{"metrics":[],' + b",".join(b'"%x":{}' % n for n in range(most // 12)) + b"}",
    "sound metrics in what is no record": lambda _, most: (
        b'{"metrics":[' + ITERATIONS * (most // len(ITERATIONS)) + ITERATIONS[:-1] + b"]}"
    ),
    "sound metrics where they do not belong": lambda record, most: record.replace(
        b'"params":{', b'"params":{"metrics":[' + ITERATIONS * (most // len(ITERATIONS)) + b"1],"
    ),
    "sound metrics in another record": lambda record, most: record.replace(
        b'"metrics":[', b'"metrics":[' + ITERATIONS * (most // len(ITERATIONS))
    ),
    "sound metrics and wrong params": lambda record, most: record.replace(
        b'"metrics":[', b'"metrics":[' + ITERATIONS * (most // len(ITERATIONS) - 3000)
    ).replace(b'"params":{', b'"params":{' + b"".join(b'"k%d":[],' % n for n in range(18_000))),
    "numbers": lambda _, most: b'{"metrics":[' + b"1e5," * (most // 4) + b"1]}",
}


@pytest.mark.parametrize("what", DENSE)
def test_a_dense_record_as_large_as_any_is_judged_within_bounds(what: str, judge: Judge, tmp_path: Path):
    draft = honest(1)
    record = draft.sealed()
    draft.beside["record.json"] = DENSE[what](record, LARGEST_RECORD_FILE - len(record) - 100)
    assert len(draft.beside["record.json"]) <= LARGEST_RECORD_FILE
    draft.write(tmp_path / "dense")
    assert judge.faults(tmp_path / "dense")


def test_a_record_is_never_believed_for_its_id_alone(judge: Judge, tmp_path: Path):
    folder = honest().write(tmp_path)
    document = json.loads((folder / "record.json").read_bytes())
    document["duration_s"] = 33.4
    (folder / "record.json").write_bytes(canonical_bytes(document))
    assert judge.faults(tmp_path)
    document["record_id"] = record_id_of(document)
    (folder / "record.json").write_bytes(canonical_bytes(document))
    assert any("belongs into" in fault for fault in judge.faults(tmp_path))
