"""`mini-slurm queue`."""

from __future__ import annotations

from perfdb.cli.mini_slurm.queue import table
from perfdb.minislurm.store.reading import QueueRow
from tests.cli.mini_slurm.homes import Home

RUNNING = QueueRow(
    id=1,
    array_id=None,
    array_index=None,
    state="RUNNING",
    cpus=2,
    current_cpus=4,
    max_cpus=8,
    is_elastic=1,
    mem_mb=4096,
    priority=5,
    wait_s=0.0,
    run_s=120.5,
    submit_at=1704103200.0,
    name="python3",
    command="python3 tasks/elastic_training.py",
    reason="",
)


def test_the_columns_are_those_that_people_know() -> None:
    head, row = table([RUNNING], None)
    assert head.split() == ["ID", "STAT", "CPU", "MEM(MB)", "PRI", "WAIT(s)", "RUN(s)", "ELASTIC", "SUBMIT", "COMMAND"]
    cells = row.split()
    assert cells[:8] == ["1", "RUNNING", "2", "4096", "5", "0.0", "120.5", "4/8"]
    assert cells[10:] == ["python3", "tasks/elastic_training.py"]


def test_every_column_but_the_last_ends_below_its_name() -> None:
    wide = RUNNING._replace(id=123456, state="OUT_OF_MEMORY", wait_s=123456789.0, array_id=99999, array_index=1234567)
    head, *rows = table([RUNNING, wide], None)
    for name in ("ID", "STAT", "CPU", "MEM(MB)", "PRI", "WAIT(s)", "RUN(s)", "ELASTIC", "SUBMIT"):
        end = head.index(name) + len(name)
        assert all(row[end] == " " and row[end - 1] != " " for row in rows), name


def test_a_task_goes_by_its_arrays_id_and_its_index() -> None:
    assert table([RUNNING._replace(id=15, array_id=12, array_index=3)], None)[1].split()[0] == "12_3"


def test_a_job_that_waits_or_is_rigid_has_a_dash_where_it_has_no_number() -> None:
    cells = table([RUNNING._replace(state="PENDING", run_s=None, is_elastic=0)], None)[1].split()
    assert cells[6:8] == ["-", "-"]


def test_a_long_command_is_cut_for_a_terminal_and_nowhere_else() -> None:
    long = RUNNING._replace(command="x" * 500)
    assert len(table([long], 120)[1]) == 120
    assert table([long], None)[1].endswith("x" * 500)


def test_a_narrow_terminal_still_shows_what_the_command_is() -> None:
    for width in (60, 80, 90, 100):
        assert table([RUNNING], width)[1].endswith(" python3 tasks/elastic_training.py")


def test_a_command_can_not_move_the_cursor() -> None:
    row = table([RUNNING._replace(command="a\x1b[2Jb\nc")], None)[1]
    assert "\x1b" not in row and "\n" not in row
    assert row.endswith("a\N{REPLACEMENT CHARACTER}[2Jb c")


def test_an_empty_queue_is_its_header(home: Home) -> None:
    code, out, err = home.told("queue")
    assert (code, out.count("\n"), err) == (0, 1, "")
    assert home.document("queue") == {"jobs": []}


def test_those_that_ended_are_listed_when_they_are_asked_for(home: Home) -> None:
    first, second = home.submitted("true"), home.submitted("--priority", "5", "true")
    home.told("cancel", str(first))
    assert [second] == [row["id"] for row in home.document("queue")["jobs"]]
    assert {first: "CANCELLED", second: "PENDING"} == {
        row["id"]: row["state"] for row in home.document("queue", "--all")["jobs"]
    }


def test_jobs_that_wait_stand_in_the_order_of_their_start(home: Home) -> None:
    low, high, late = home.submitted("true"), home.submitted("--priority", "9", "true"), home.submitted("true")
    assert [high, low, late] == [row["id"] for row in home.document("queue")["jobs"]]
    assert [str(high), str(low), str(late)] == [line.split()[0] for line in home.told("queue").out.splitlines()[1:]]


def test_where_jobs_wait_and_no_scheduler_runs_it_says_so(home: Home) -> None:
    assert home.told("queue").err == ""
    home.submitted("true")
    assert home.told("queue").err == "mini-slurm: note: no scheduler runs, so nothing starts: mini-slurm scheduler\n"
    home.start()
    assert home.told("queue").err == ""


def test_without_a_standard_output_it_ends_well(home: Home) -> None:
    assert (home.told_after("exec >&-", "queue").code, home.told_after("exec >&-", "queue", "--json").code) == (0, 0)
