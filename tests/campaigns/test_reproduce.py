"""Which runs can be done again, with which config, and what is told of two records."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from perfdb.campaigns.reproduce import Again, again, check_config, config_for, differences, side_by_side, target_for
from perfdb.errors import ConfigError, RecordError, UsageError
from perfdb.record import Artifact, Code, ConfigRef, Environment, Host, Metric, Origin, Record, sha256_hex
from perfdb.registry import Entry, Registry
from perfdb.settings import Settings
from tests.tracking.records import make_record

SOURCE = b"from parsl.config import Config\n\nconfig = Config(executors=[])\n"


def measured(**changes: Any) -> Record:
    return make_record(
        **{
            "spec": {"time": 5.0, "reps": 3, "timeout_s": 60.0},
            "config": ConfigRef(name="local_htex", source_sha256=sha256_hex(SOURCE), fingerprint="b" * 64),
            **changes,
        }
    )


def kept(root: Path, source: bytes = SOURCE, **changes: Any) -> Entry:
    """A record whose folder holds that config."""
    record = measured(
        **{
            "config": ConfigRef(name="local_htex", source_sha256=sha256_hex(source), fingerprint="b" * 64),
            "artifacts": (Artifact(file="artifacts/config.py", sha256=sha256_hex(source), bytes=len(source)),),
            **changes,
        }
    )
    return Entry(record, Registry(root / "mlruns").save(record, {"artifacts/config.py": source}))


def chosen(entry: Entry, root: Path, config: Path | None = None, *, use_kept: bool = False) -> Path:
    return config_for(again(entry.record), entry, Settings(root=root), config, use_kept=use_kept)


def test_the_options_and_the_release_are_asked_for_again() -> None:
    asked = again(measured())
    assert asked.spec == {"time": 5.0, "iterate": "estimate", "argsize": 0, "resources": None, "reps": 3, "probe": True}
    assert asked.timeout_s == 60.0
    assert asked.release == "2026.10.26"
    assert again(measured(), reps=10).spec["reps"] == 10


@pytest.mark.parametrize(
    "parsl", [{"parsl": "2026.10.26", "parsl_source": "commit abc"}, {"parsl": "2026.11.1+ours"}, {}], ids=str
)
def test_what_was_no_release_cannot_be_installed_by_its_number(parsl: dict[str, str]) -> None:
    assert again(measured(code=Code(perfdb_version="0.1.0", measured=parsl))).release is None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        (
            {"origin": Origin(kind="imported", source_kind="csv", source="x", source_sha256="d" * 64)},
            "imported from csv",
        ),
        ({"family": "juggling"}, "family 'juggling'"),
        ({"config": None}, "never loaded"),
        ({"spec": {"time": 5.0, "speed": 3}}, "speed"),
        ({"spec": {"resources": "__import__('os').system('true')"}}, "resources"),
    ],
    ids=["imported", "family", "config", "unknown option", "hostile option"],
)
def test_what_cannot_be_done_again_is_refused_with_the_reason(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        again(measured(**changes))


def test_the_file_of_that_name_with_that_source_is_the_config(tmp_path: Path) -> None:
    entry = kept(tmp_path)
    folder = tmp_path / "parsl-configs"
    folder.mkdir()
    (folder / "local_htex.py").write_bytes(SOURCE)
    path = chosen(entry, tmp_path)
    assert path == folder / "local_htex.py"
    # No Python is needed to know it: it holds nothing to mask.
    check_config(path, again(entry.record), Settings(root=tmp_path), Path("/no/such/python"))


def test_a_file_of_that_name_with_another_source_is_refused(tmp_path: Path) -> None:
    entry = kept(tmp_path)
    path = tmp_path / "local_htex.py"
    path.write_bytes(SOURCE.replace(b"[]", b"None"))
    with pytest.raises(ConfigError, match=r"another config .*--use-kept-config"):
        check_config(path, again(entry.record), Settings(root=tmp_path), Path(sys.executable))


def test_a_config_with_a_secret_is_known_by_its_masked_source(tmp_path: Path) -> None:
    masked = b"api_token = '<redacted>'\n" + SOURCE
    entry = kept(tmp_path, masked)
    path = tmp_path / "local_htex.py"
    path.write_bytes(b"api_token = 'not-a-real-one-0123456789abcdef'\n" + SOURCE)
    check_config(path, again(entry.record), Settings(root=tmp_path), Path(sys.executable))


def test_where_no_file_has_that_name_the_ways_out_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no file .*local_htex\.py.*--config.*--use-kept-config"):
        chosen(kept(tmp_path), tmp_path)


def test_a_file_of_another_name_would_be_another_config(tmp_path: Path) -> None:
    other = tmp_path / "mine.py"
    other.write_bytes(SOURCE)
    with pytest.raises(ConfigError, match=r"called local_htex\.py"):
        chosen(kept(tmp_path), tmp_path, other)


def test_the_kept_config_is_run_only_when_asked_for_and_under_its_own_name(tmp_path: Path) -> None:
    entry = kept(tmp_path)
    path = chosen(entry, tmp_path, use_kept=True)
    assert path.name == "local_htex.py"
    assert path.read_bytes() == SOURCE
    assert (tmp_path / ".perfdb") in path.parents


def test_a_kept_config_that_was_masked_cannot_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="masked"):
        chosen(kept(tmp_path, b"account = '<redacted>'\n" + SOURCE), tmp_path, use_kept=True)


def test_a_kept_config_that_was_changed_is_refused(tmp_path: Path) -> None:
    entry = kept(tmp_path)
    (entry.folder / "artifacts" / "config.py").write_bytes(SOURCE + b"# and more\n")
    with pytest.raises(RecordError, match="not what its record says"):
        chosen(entry, tmp_path, use_kept=True)


def test_a_kept_config_that_is_a_link_is_refused(tmp_path: Path) -> None:
    entry = kept(tmp_path)
    outside = tmp_path / "outside.py"
    outside.write_bytes(SOURCE)
    (entry.folder / "artifacts" / "config.py").unlink()
    (entry.folder / "artifacts" / "config.py").symlink_to(outside)
    with pytest.raises(RecordError, match="no plain file"):
        chosen(entry, tmp_path, use_kept=True)


@pytest.mark.parametrize("name", ["../../evil", "/etc/evil", ".hidden", "a/b", "", "a\nb"])
@pytest.mark.parametrize("use_kept", [True, False])
def test_a_configs_name_leads_nowhere(tmp_path: Path, name: str, use_kept: bool) -> None:
    entry = kept(tmp_path, config=ConfigRef(name=name, source_sha256=sha256_hex(SOURCE), fingerprint="b" * 64))
    with pytest.raises(ConfigError, match="no file here may be"):
        chosen(entry, tmp_path, use_kept=use_kept)


def test_what_is_unlike_is_told_with_both_values_and_how_often_it_ran_is_not() -> None:
    old = measured(environment=Environment(machine="birch", submit_host=Host(kernel="6.1", pseudonym=None)))
    new = measured(
        environment=Environment(machine="birch", submit_host=Host(kernel="6.8", pseudonym=None)),
        spec={"time": 5.0, "reps": 10},
        code=Code(perfdb_version="0.1.0", measured={"parsl": "2026.11.2"}),
    )
    told = {each.dimension: each.values for each in differences(old, new)}
    assert told == {"kernel": (("6.1",), ("6.8",)), "parsl_version": (("2026.10.26",), ("2026.11.2",))}
    assert differences(old, old) == ()


def test_metrics_stand_side_by_side_by_their_medians() -> None:
    old = measured()
    new = measured(
        metrics=(Metric(name="warm_tasks_per_s", unit="tasks/s", direction="higher", values=(350.0, 360.0)),)
    )
    (row,) = side_by_side(old, new, ["warm_tasks_per_s", "cold_start_s", "nothing"])
    assert (row.before, row.before_n, row.after, row.after_n, row.ratio) == (710.0, 3, 355.0, 2, 0.5)


def test_numbers_in_two_units_are_not_put_side_by_side() -> None:
    new = measured(metrics=(Metric(name="warm_tasks_per_s", unit="1", direction="higher", value=350.0),))
    assert side_by_side(measured(), new, ["warm_tasks_per_s"]) == ()


def test_a_record_knows_what_it_would_be_called() -> None:
    assert isinstance(again(measured()), Again)
    assert again(measured()).measured == "Parsl 2026.10.26"


def test_a_built_in_workload_need_not_be_named_once_more() -> None:
    params = {"workload.kind": "built-in", "workload.name": "clog"}
    spec = {"arms": "simulated:fifo", "iters": 1}
    assert target_for(again(measured(family="schedulers", spec=spec, params=params)), None) == "clog"
    assert target_for(again(measured(family="schedulers", spec=spec, params=params)), "mixed") == "mixed"
    for other in ({"workload.kind": "toml", "workload.name": "clog"}, {**params, "workload.name": "$(id)"}, {}):
        with pytest.raises(UsageError, match="does not keep the WORKLOAD"):
            target_for(again(measured(family="schedulers", spec=spec, params=other)), None)
