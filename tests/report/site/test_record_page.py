"""The commands on a record's page do what they say."""

from __future__ import annotations

import pytest

from perfdb.families import FAMILIES
from perfdb.record import Code, Record
from perfdb.report.site.record_page import commands
from tests.compare.made import rate, run


def by_hand(record: Record) -> list[str]:
    return [command for _, command in commands(record) if command.startswith("perfdb run")]


def of_source(source: str) -> Record:
    measured = {"parsl": "2026.10.26", "parsl_source": source}
    return run(rate(1.0), code=Code(perfdb_version="0.1.0", measured=measured))


def test_a_commit_is_named_in_the_way_that_installs() -> None:
    assert by_hand(of_source(f"Parsl's own repository at main, commit {'b' * 40}")) == [
        f"perfdb run throughput local_htex --parsl FOLDER@{'b' * 40} --set time=5.0 # FOLDER: a checkout of Parsl"
    ]


@pytest.mark.parametrize(
    "record",
    [of_source("a folder, content 0123"), run(rate(1.0), overrides={"executor.max_workers_per_node": 2})],
    ids=["a folder", "overrides"],
)
def test_what_no_options_say_has_no_command_but_to_reproduce(record: Record) -> None:
    assert by_hand(record) == []
    assert any(command.startswith("perfdb reproduce") for _, command in commands(record))


def test_a_service_is_named_by_its_url_and_defaults_go_without_saying() -> None:
    family = FAMILIES["scaling"]
    spec = family.spec(n=5, p99_factor=3.0).model_dump(mode="json")
    of = run(
        rate(1.0), family="scaling", spec=spec, params={"service.host": "127.0.0.1"}, code=Code(perfdb_version="0.1.0")
    )

    assert [command for _, command in commands(of)][1:] == [
        f"perfdb reproduce {of.record_id} URL",
        "perfdb run scaling URL --set n=5 --set p99_factor=3.0",
    ]
    unkept = of.model_copy(update={"spec": {**spec, "fault_command": family.unkept["fault_command"]}})
    assert by_hand(unkept) == []


def test_a_limit_of_time_is_no_option_of_the_family() -> None:
    (command,) = by_hand(run(rate(1.0), spec={"time": 5.0, "timeout_s": 60.0}))

    assert "--timeout 60.0" in command
    assert "--set timeout_s" not in command


def test_a_built_in_workload_stands_in_the_commands_and_a_file_is_a_blank() -> None:
    params = {"workload.kind": "built-in", "workload.name": "clog"}
    known = run(rate(1.0), family="schedulers", spec={"nodes": 8}, params=params, code=Code(perfdb_version="0.1.0"))
    assert [command for _, command in commands(known)][1:] == [
        f"perfdb reproduce {known.record_id}",
        "perfdb run schedulers clog --set nodes=8",
    ]
    of_file = known.model_copy(update={"params": {**params, "workload.kind": "swf"}})
    assert [command for _, command in commands(of_file)][1:] == [
        f"perfdb reproduce {known.record_id} WORKLOAD",
        "perfdb run schedulers WORKLOAD --set nodes=8",
    ]
