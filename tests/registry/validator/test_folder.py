"""What a registry on disk may hold, and what `validate_folder` says of everything else."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from perfdb.families.throughput.derive import derive
from perfdb.platforms.slurm_settings import scheduler_settings
from perfdb.record import Annotation, Record, Retraction, new_uuid, sha256_hex
from perfdb.redaction import Identity
from perfdb.registry.remarks import save_remark
from perfdb.registry.samples import to_parquet
from perfdb.registry.validator import Fault, validate, validate_folder
from perfdb.registry.validator.limits import LARGEST_RECORD_FILE, LARGEST_TEXT, MOST_FILES
from perfdb.registry.validator.second import SecondJudge
from perfdb.registry.validator.tree import FolderTree
from tests.platforms.shown_settings import CONFIG
from tests.registry.validator.honest import LOG, RULES, STARTED, Change, Draft, codes, honest, judge, samples_of


def set_at(*path: object, value: object) -> Change:
    """Change one field of the document; the record is sealed anew afterwards."""

    def change(draft: Draft) -> None:
        at = draft.document
        for part in path[:-1]:
            at = at[part]
        at[path[-1]] = value

    return change


def metric(name: str, /, **changes: object) -> Change:
    def change(draft: Draft) -> None:
        next(m for m in draft.document["metrics"] if m["name"] == name and "step" not in m).update(changes)

    return change


def of_an_iteration(draft: Draft, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(m for m in draft.document["metrics"] if m["name"] == name)
    return found


def from_a_table(draft: Draft) -> None:
    draft.document["origin"] = {"kind": "imported", "source_kind": "csv", "source_sha256": "0" * 64}


def name_artifact(draft: Draft, name: str) -> None:
    draft.files[name] = b"a line\n"
    draft.document["artifacts"].append({"file": name})


def file(name: str, data: bytes) -> Change:
    return lambda draft: draft.files.__setitem__(name, data)


def beside(name: str, data: bytes) -> Change:
    return lambda draft: draft.beside.__setitem__(name, data)


def test_honest_records_have_no_fault(tmp_path: Path):
    for number in range(3):
        honest(number).write(tmp_path)
    report = judge(tmp_path)
    assert report.faults == ()
    assert len(report.records) == 3
    assert report.files == 3 * 5 + 1


def test_a_schedulers_settings_are_no_fault(tmp_path: Path):
    told = scheduler_settings(CONFIG) | {"boot_s": "2", "partition.TotalNodes": "4", "x": f"SHA-256 {'9' * 64}"}
    draft = honest()
    draft.document["environment"]["scheduler_settings"] = told
    draft.write(tmp_path)
    assert judge(tmp_path).ok


def test_a_record_of_very_many_repetitions_is_no_fault(tmp_path: Path):
    draft = honest()
    given = [m for m in draft.document["metrics"] if "step" in m and m["repetition"] == 1]
    latencies = [m for m in draft.document["metrics"] if "latency" in m["name"]]
    iterations = [{**m, "repetition": repetition} for repetition in range(1, 1001) for m in given]
    of_run = [
        m.model_dump(mode="json", exclude_none=True)
        for m in derive(Record.model_validate({**draft.document, "metrics": iterations}))
        if m.step is None
    ]
    draft.change(metrics=[*of_run, *iterations, *latencies]).write(tmp_path)
    assert judge(tmp_path).faults == ()


SEALED: dict[str, tuple[Change, str]] = {
    "a metric that its samples contradict": (metric("task_latency_p50_s", value=1e-6), "summary-wrong"),
    "a metric that is missing": (lambda d: d.document["metrics"].pop(), "summary-wrong"),
    "a rate that its iterations contradict": (metric("warm_tasks_per_s", values=[9e6, 9e6]), "summary-wrong"),
    "another unit": (metric("cold_start_s", unit="ms"), "wrong-unit"),
    "the other direction": (metric("cold_start_s", direction="higher"), "wrong-unit"),
    "a value below what is possible": (metric("cold_start_s", values=[-1.0, 2.0]), "implausible-value"),
    "a value past what is plausible": (metric("cold_start_s", values=[1e300, 2.0]), "implausible-value"),
    "a metric of another name": (metric("cold_start_s", name="coldness"), "unknown-metric"),
    "a metric twice": (lambda d: d.document["metrics"].append(d.document["metrics"][0]), "metric-twice"),
    "latencies without the samples": (
        lambda d: d.change(samples=[]) and d.files.pop("samples.parquet"),
        "no-evidence",
    ),
    "a latency that too few samples imply": (
        metric("task_latency_p95_s", name="burst_task_latency_p95_s"),
        "no-evidence",
    ),
    "a rate whose iterations are not all told": (
        lambda d: d.document["metrics"].remove(of_an_iteration(d, "iteration_task_count")),
        "no-evidence",
    ),
    "an iteration whose rate is not tasks over time": (
        lambda d: of_an_iteration(d, "iteration_tasks_per_s").update(value=9e6),
        "summary-wrong",
    ),
    "an iteration with several values": (
        lambda d: (m := of_an_iteration(d, "iteration_run_time_s")).update(values=[m.pop("value"), 9e6]),
        "metric-misplaced",
    ),
    "a rate of the run told as an iteration's": (
        lambda d: d.document["metrics"].append(
            {**of_an_iteration(d, "iteration_tasks_per_s"), "name": "warm_tasks_per_s", "value": 9e6}
        ),
        "metric-misplaced",
    ),
    "ok without a check": (set_at("checks", value=[]), "no-evidence"),
    "ok without a config": (
        lambda d: (d.document.pop("config"), d.document["artifacts"].pop(), d.files.pop("artifacts/config.py")),
        "no-evidence",
    ),
    "a measured record of a kind of import": (set_at("family", value="csv"), "unknown-kind"),
    "an imported record of a family as its kind": (
        set_at("origin", value={"kind": "imported", "source_kind": "throughput", "source_sha256": "0" * 64}),
        "unknown-kind",
    ),
    "an imported metric with another unit than its family's": (
        lambda d: (from_a_table(d), metric("cold_start_s", unit="fortnights")(d)),
        "wrong-unit",
    ),
    "an imported metric past what its family's can be": (
        lambda d: (from_a_table(d), metric("cold_start_s", values=[-1.0, 2.0])(d)),
        "implausible-value",
    ),
    "two artifacts that one file holds where case does not count": (
        lambda d: [name_artifact(d, name) for name in ("artifacts/Log", "artifacts/log")],
        "odd-name",
    ),
    "an artifact whose name loses its dot": (lambda d: name_artifact(d, "artifacts/log."), "odd-name"),
    "an artifact that is a device elsewhere": (lambda d: name_artifact(d, "artifacts/aux.log"), "odd-name"),
    "an unknown family": (set_at("family", value="alchemy"), "unknown-kind"),
    "an unknown kind of import": (
        set_at("origin", value={"kind": "imported", "source_kind": "alchemy", "source_sha256": "0" * 64}),
        "unknown-kind",
    ),
    "a measured record with a source": (set_at("origin", "source", value="elsewhere"), "origin-contradicts-itself"),
    "ended before it started": (set_at("ended_at", value="2026-11-20T09:00:00.000000Z"), "implausible-time"),
    "a duration that is not from start to end": (set_at("duration_s", value=3600.0), "implausible-time"),
    "from the future": (
        lambda d: d.change(started_at="2099-01-01T00:00:00.000000Z", ended_at="2099-01-01T00:00:33.500000Z"),
        "implausible-time",
    ),
    "from before Parsl": (
        lambda d: d.change(started_at="2014-01-01T00:00:00.000000Z", ended_at="2014-01-01T00:00:33.500000Z"),
        "implausible-time",
    ),
    "ok with a failed check": (set_at("checks", 0, "passed", value=False), "status-contradicts-checks"),
    "invalid with no failed check": (lambda d: d.change(status="invalid", reason="so"), "status-contradicts-checks"),
    "failed without a reason": (set_at("status", value="failed"), "status-contradicts-checks"),
    "another config than was measured": (set_at("config", "source_sha256", value="0" * 64), "reference-broken"),
    "other params than the config's": (set_at("params", "provider.max_blocks", value=5), "reference-broken"),
    "another machine than was described": (
        set_at("environment", "submit_host", "cpu_count", value=9),
        "reference-broken",
    ),
    "a machine that is described nowhere": (
        set_at("environment", value={"machine": "hopper", "machine_fingerprint": "0" * 16, "workers": []}),
        "reference-broken",
    ),
    "a secret in params": (set_at("params", "provider.worker_init", value="export TOKEN=abcd1234efgh"), "holds-secret"),
    "a param whose name says secret": (set_at("params", "provider.account", value="m1234"), "holds-secret"),
    "an imported param whose name says secret": (
        lambda d: (from_a_table(d), set_at("params", "password", value="opensesame")(d)),
        "holds-secret",
    ),
    "a secret in the spec": (set_at("spec", "password", value="opensesame"), "holds-secret"),
    "a secret among the scheduler's settings": (
        set_at("environment", "scheduler_settings", value={"password": "opensesame"}),
        "holds-secret",
    ),
    "a home among the scheduler's settings": (
        set_at("environment", "scheduler_settings", value={"ResumeProgram": "/home/somebody/x"}),
        "holds-home",
    ),
    "an address among the scheduler's settings": (
        set_at("environment", "scheduler_settings", value={"SlurmctldHost": "login01(10.9.8.7)"}),
        "holds-address",
    ),
    "a scheduler's setting of two lines": (
        set_at("environment", "scheduler_settings", value={"SchedulerType": "a\nb"}),
        "not-a-record",
    ),
    "an address in the reason of a check": (set_at("checks", 0, "detail", value="10.1.2.3 answered"), "holds-address"),
    "a home in the run's name": (set_at("spec", "where", value="/home/somebody/x"), "holds-home"),
    "a person in a log": (file("artifacts/01-rep-1.log", b"mail somebody@host.example.net\n"), "holds-user"),
    "a key in a log": (file("artifacts/01-rep-1.log", b"AKIA" + b"ABCDEFGHIJKLMNOP" + b"\n"), "holds-secret"),
    "a secret far down a long line": (
        file("artifacts/01-rep-1.log", b"x " * 100_000 + b"password=opensesame " + b"x " * 1000),
        "holds-secret",
    ),
    "a log that is no text": (file("artifacts/01-rep-1.log", b"\xff\xfe\x00"), "not-text"),
    "a log that is too long": (file("artifacts/01-rep-1.log", b"a line\n" * (LARGEST_TEXT // 7 + 1)), "too-large"),
    "samples that are no Parquet": (file("samples.parquet", b"PAR1 and so on PAR1"), "samples-unreadable"),
    "samples of no bytes": (file("samples.parquet", b""), "samples-unreadable"),
    "samples of another run": (file("samples.parquet", to_parquet(samples_of(99))), "summary-wrong"),
    "fewer samples than stated": (file("samples.parquet", to_parquet(samples_of(0, 39))), "wrong-shape"),
    "samples with another column": (
        file("samples.parquet", to_parquet({**samples_of(0), "more": [1] * 40})),
        "wrong-shape",
    ),
    "samples with NaN": (
        file("samples.parquet", to_parquet({**samples_of(0), "latency_s": [float("nan")] * 40})),
        "samples-unreadable",
    ),
    "samples within samples": (
        file("samples.parquet", to_parquet({**samples_of(0), "latency_s": [[0.1]] * 40})),
        "samples-unreadable",
    ),
    "a home among the samples": (
        file("samples.parquet", to_parquet({**samples_of(0), "mode": ["/home/somebody/x"] * 40})),
        "holds-home",
    ),
    "a file that is not named": (beside("artifacts/more.log", b""), "file-not-named"),
    "a file of an odd name": (beside("artifacts/..\n", b""), "file-not-named"),
    "other sums": (beside("SHA256SUMS", b""), "sums-wrong"),
    "a named file that is missing": (lambda d: d.files.pop("artifacts/01-rep-1.log"), "file-unreadable"),
    "a file named twice": (lambda d: d.document["artifacts"].append(d.document["artifacts"][0]), "file-named-twice"),
    "an artifact that leads out": (
        set_at("artifacts", 0, "file", value="artifacts/../../x"),
        "not-a-record",
    ),
    "a newer version": (set_at("schema_version", value=2), "newer-version"),
    "a field that there is none of": (set_at("extra", value=1), "not-a-record"),
    "a record that is too large": (set_at("reason", value="x" * LARGEST_RECORD_FILE), "record-unreadable"),
    "a million values": (set_at("params", value={f"k{n}": 0 for n in range(400_001)}), "record-unreadable"),
    "too many params": (set_at("params", value={f"k{n}": 0 for n in range(100_001)}), "too-large"),
    "too many values of metrics that are none": (
        set_at("metrics", value=[{"name": "X", "unit": "", "direction": "none", "value": 1}] * 20_000),
        "too-large",
    ),
    "too many values": (metric("cold_start_s", values=[1] * 20_001), "too-large"),
}


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Fault]]:
    """All of them in one registry, judged at once: the faults of each."""
    root = tmp_path_factory.mktemp("sealed")
    folders = {}
    for number, (name, (change, _)) in enumerate(SEALED.items()):
        draft = honest(number)
        change(draft)
        folders[name] = f"{draft.write(root).relative_to(root)}"
    faults = judge(root).faults
    return {name: [fault for fault in faults if fault.file.startswith(folder)] for name, folder in folders.items()}


@pytest.mark.parametrize("name", SEALED)
def test_a_record_that_was_sealed_again_is_refused_for(name: str, sealed: dict[str, list[Fault]]):
    assert SEALED[name][1] in {fault.code for fault in sealed[name]}
    assert all(fault.problem and fault.remedy for fault in sealed[name])


def test_samples_that_cant_be_read_are_one_fault_and_not_one_for_each_number_of_theirs(
    sealed: dict[str, list[Fault]],
):
    for name in ("samples that are no Parquet", "samples with NaN"):
        assert [fault.code for fault in sealed[name]] == ["samples-unreadable"]


@pytest.mark.parametrize("name", ["record.json", "samples.parquet", "artifacts/config.py", "SHA256SUMS"])
def test_a_changed_byte_is_told_of_with_its_file(name: str, tmp_path: Path):
    path = honest().write(tmp_path) / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert any(fault.file.endswith(name) for fault in judge(tmp_path).faults)


def test_a_record_in_another_folder_is_told_where_it_belongs(tmp_path: Path):
    folder = honest().write(tmp_path, where="throughput/cori/2026-11/" + "0" * 16)
    (fault,) = [fault for fault in judge(tmp_path).faults if fault.code == "wrong-place"]
    assert f"throughput/hopper/2026-11/{honest().document['record_id']}" in fault.problem
    assert folder.name in fault.file


@pytest.mark.parametrize(
    "path", ["x.txt", "throughput/hopper/2026-13/" + "0" * 16 + "/record.json", "_machines/a.json", "12/a/b"]
)
def test_a_file_that_no_registry_has_is_odd(path: str, tmp_path: Path):
    honest().write(tmp_path)
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_bytes(b"")
    report = judge(tmp_path)
    assert [(fault.file, fault.code) for fault in report.faults] == [(path, "odd-path")]


def test_links_and_pipes_are_refused_and_never_followed(tmp_path: Path):
    folder = honest().write(tmp_path)
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.mkdir()
    (folder / "artifacts" / "01-rep-1.log").unlink()
    (outside / "log").write_bytes(LOG)
    (folder / "artifacts" / "01-rep-1.log").symlink_to(outside / "log")  # the very bytes that the record names
    os.mkfifo(folder / "pipe")
    (folder / "more").symlink_to("/dev/zero")
    (tmp_path / "_annotations").symlink_to(outside)
    faults = {fault.file.removeprefix(f"{folder.relative_to(tmp_path)}/") for fault in judge(tmp_path).faults}
    assert faults >= {"artifacts/01-rep-1.log", "pipe", "more", "_annotations"}


def test_a_folder_that_is_a_link_is_not_read_through(tmp_path: Path):
    folder = honest().write(tmp_path / "real")
    (tmp_path / "real" / "throughput").rename(tmp_path / "elsewhere")
    (tmp_path / "real" / "throughput").symlink_to(tmp_path / "elsewhere")
    report = judge(tmp_path / "real")
    assert codes(report) == {"odd-path"}
    assert report.records == ()
    with_path = judge(tmp_path / "real", folder)
    assert "record-unreadable" in codes(with_path)


def test_an_executable_file_is_refused(tmp_path: Path):
    (honest().write(tmp_path) / "artifacts" / "config.py").chmod(0o755)
    assert codes(judge(tmp_path)) == {"not-a-plain-file"}


def test_folders_without_end_are_refused_without_walking_them(tmp_path: Path):
    folder = honest().write(tmp_path)
    deep = folder.joinpath(*["a"] * 40)
    deep.mkdir(parents=True)
    (deep / "x").touch()
    wide = honest(1).write(tmp_path)
    for number in range(MOST_FILES + 1):
        (wide / f"{number}").touch()
    report = judge(tmp_path)
    assert {fault.file for fault in report.faults if fault.code == "too-many-files"} == {
        str(each.relative_to(tmp_path)) for each in (folder, wide)
    }
    assert len(report.faults) < 100
    assert len(list(FolderTree(tmp_path).items())) < 20


def test_the_same_measurement_under_two_ids_is_a_duplicate(tmp_path: Path):
    honest().write(tmp_path)
    again = honest()
    again.document["run_name"] = "not the same at all"
    again.write(tmp_path)
    assert codes(judge(tmp_path)) == {"duplicate"}


def test_a_duplicate_is_found_though_only_one_of_the_two_is_judged(tmp_path: Path):
    honest().write(tmp_path)
    again = honest()
    again.document["run_name"] = "not the same at all"
    assert codes(judge(tmp_path, again.write(tmp_path))) == {"duplicate"}


def test_two_runs_imported_from_one_source_are_a_duplicate(tmp_path: Path):
    for number in (0, 1):
        draft = honest(number)
        draft.document["origin"] = {
            "kind": "imported",
            "source_kind": "csv",
            "source": "a.csv",
            "source_sha256": "0" * 64,
        }
        draft.write(tmp_path)
    assert codes(judge(tmp_path)) == {"duplicate"}


def test_the_users_own_names_are_found_where_their_identity_is_known(tmp_path: Path):
    draft = honest()
    draft.document["checks"][0]["detail"] = "as wildflower said on meadow7"
    draft.write(tmp_path)
    assert judge(tmp_path).ok
    assert codes(validate_folder(tmp_path, [], RULES, Identity(users=("wildflower",)))) == {"holds-user"}
    assert codes(validate_folder(tmp_path, [], RULES, Identity(hosts=("meadow7",)))) == {"holds-host"}
    # The label that the machine was given is public in every path, though a host may be called the same.
    assert validate_folder(tmp_path, [], RULES, Identity(hosts=("hopper",))).ok


def test_a_fault_never_repeats_the_secret(tmp_path: Path):
    draft = honest()
    draft.document["params"]["provider.worker_init"] = "export TOKEN=abcd1234efgh"
    draft.write(tmp_path)
    assert "abcd1234efgh" not in str(judge(tmp_path))


def test_remarks_are_judged_like_records(tmp_path: Path):
    record_id = honest().write(tmp_path).name
    good = Retraction(uuid=new_uuid(), at=STARTED, record_id=record_id, reason="wrong node")
    save_remark(tmp_path, good)
    save_remark(tmp_path, Annotation(uuid=new_uuid(), at=STARTED, record_ids=(record_id,), note="new kernel"))
    assert judge(tmp_path).ok
    lost = save_remark(tmp_path, Annotation(uuid=new_uuid(), at=STARTED, record_ids=("0" * 16,), note="of nothing"))
    telling = save_remark(
        tmp_path, Annotation(uuid=new_uuid(), at=STARTED, record_ids=(record_id,), note="see /home/somebody")
    )
    moved = tmp_path / "_retractions" / f"{'0' * 16}-{new_uuid()}.json"
    moved.write_bytes(good.to_bytes())
    found = {(fault.file.rpartition("/")[2], fault.code) for fault in judge(tmp_path).faults}
    assert found == {(lost.name, "reference-broken"), (telling.name, "holds-home"), (moved.name, "wrong-place")}


def test_a_machines_name_is_the_hash_of_what_it_says(tmp_path: Path):
    honest().write(tmp_path)
    (path,) = (tmp_path / "_machines" / "hopper").iterdir()
    data = path.read_bytes().replace(b"Model 7", b"Model 9")
    path.write_bytes(data)
    assert codes(judge(tmp_path)) == {"wrong-hash"}
    path.rename(path.with_name("0" * 16 + ".json"))
    assert codes(judge(tmp_path)) == {"wrong-hash", "reference-broken"}
    other = b'{"hostname":"meadow7"}'
    (tmp_path / "_machines" / "hopper" / f"{sha256_hex(other)[:16]}.json").write_bytes(other)
    assert "not-a-machine" in codes(judge(tmp_path))


def test_what_is_being_saved_at_this_moment_is_left_alone(tmp_path: Path):
    honest().write(tmp_path)
    (tmp_path / ".staging-0").mkdir()
    (tmp_path / ".staging-0" / "record.json").touch()
    (tmp_path / "README.md").write_text("results\n")
    assert judge(tmp_path).ok


def test_a_path_chooses_what_is_judged(tmp_path: Path):
    good, bad = honest(0).write(tmp_path), honest(1).write(tmp_path)
    (bad / "artifacts" / "more").touch()
    assert judge(tmp_path, good).ok
    assert judge(tmp_path, bad / "record.json").records == (bad.name,)
    assert not judge(tmp_path, tmp_path / "throughput").ok


def test_a_large_registry_is_judged_by_two_processes_with_the_same_verdicts(tmp_path: Path, monkeypatch):
    for number in range(26):
        draft = honest(number, tasks=3)
        if number % 5 == 0:
            metric("cold_start_s", unit="fortnights")(draft)
        draft.write(tmp_path)
    Draft(honest(3, tasks=3).document, honest(3, tasks=3).files).write(tmp_path, "other/hopper/2026-11/" + "a" * 16)
    alone = judge(tmp_path)
    started = []
    begin = SecondJudge.begin
    monkeypatch.setattr(SecondJudge, "begin", lambda self, groups: (started.append(len(groups)), begin(self, groups)))
    monkeypatch.setattr(validate, "SHARE", 4)
    assert judge(tmp_path) == alone
    assert sum(started) > 8
    assert {fault.code for fault in alone.faults} >= {"wrong-unit", "duplicate"}


def test_what_a_second_process_that_was_killed_did_not_say_is_judged_by_the_first(tmp_path: Path, monkeypatch):
    for number in range(12):
        honest(number, tasks=3).write(tmp_path)
    monkeypatch.setattr(validate, "SHARE", 4)

    def killed(self, groups):
        self._start().kill()

    monkeypatch.setattr(SecondJudge, "begin", killed)
    report = judge(tmp_path)
    assert report.ok
    assert len(report.records) == 12
