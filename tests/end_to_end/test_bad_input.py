"""Bad input: one clear paragraph, the documented exit code, no traceback, nothing left behind."""

from __future__ import annotations

import os
import sys
import textwrap
from pathlib import Path

import pytest

from tests.end_to_end.conftest import THREADS, Home

pytestmark = pytest.mark.usefixtures("unmirrored")

OK = "from parsl.config import Config\nfrom parsl.executors import ThreadPoolExecutor as T\nconfig = Config(executors=[T()])\n"
CONFIGS = {
    "no_suffix": OK,
    "syntax.py": "config = Config(\n",
    "raises.py": "x = 1\nraise RuntimeError('the site is closed')\n",
    "loops.py": "while True:\n    pass\n",
    "exits.py": "import sys\nsys.exit(3)\n",
    "empty.py": "",
    "number.py": "config = 42\n",
    "twins.py": OK.replace("T()", "T(label='twin'), T(label='twin')"),
    "lacks.py": "import a_package_that_nobody_has\n",
    "flux.py": "from parsl.config import Config\nfrom parsl.executors.taskvine import TaskVineExecutor\n"
    "config = Config(executors=[TaskVineExecutor()])\n",
    "binary.py": "\x00\x01",
}

CASES = [
    # what is typed, the exit code, what the paragraph names
    (["nosuch.py"], 1, ["nosuch.py"]),
    (["nosuch"], 1, ["nosuch", "parsl-configs"]),
    (["no_suffix"], 1, [".py"]),
    (["syntax.py"], 1, ["line 1", "Config("]),
    (["raises.py"], 1, ["line 2", "the site is closed"]),
    (["loops.py", "--timeout", "3"], 1, ["loops.py", "3 s"]),
    (["exits.py"], 1, ["line 2", "sys.exit(3)"]),
    (["empty.py"], 1, ["config"]),
    (["number.py"], 1, ["int", "Config"]),
    (["twins.py"], 1, ["twin", "label"]),
    (["lacks.py"], 1, ["a_package_that_nobody_has"]),
    (["flux.py"], 1, ["ndcctools"]),
    (["binary.py"], 1, ["binary.py"]),
    (["."], 1, ["folder"]),
    (["x" * 5000], 2, ["5000"]),
    (["~nosuchuser/x.py"], 1, ["x.py"]),
    ([THREADS, "--reps", "0"], 2, ["--reps", "0"]),
    ([THREADS, "--time", "-1"], 2, ["--time"]),
    ([THREADS, "--time", "soon"], 2, ["--time"]),
    ([THREADS, "--iterate", "5"], 2, ["cold"]),
    ([THREADS, "--iterate", "1,x"], 2, ["--iterate"]),
    ([THREADS, "--resources", "__import__('os').system('true')"], 2, ["--resources"]),
    ([THREADS, "--timeout", "0"], 2, ["--timeout"]),
    ([THREADS, "a/b"], 2, ["a/b", "slashes"]),
    ([THREADS, "tab\there"], 2, ["control characters"]),
    ([THREADS, "--experiment", "2026"], 2, ["--experiment"]),
    ([THREADS, "--machine", "../up"], 2, ["--machine"]),
    ([THREADS, "--python", "nosuch"], 2, ["--python"]),
    ([THREADS, "--python", sys.executable, "--parsl", "2025.8.4"], 2, ["--python", "--parsl"]),
    ([THREADS, "--parsl", "1999.1.1"], 1, ["1999.1.1"]),
    ([THREADS, "--parsl", "./nowhere"], 1, ["./nowhere"]),
]


@pytest.mark.parametrize(
    ("typed", "code", "names"), CASES, ids=lambda v: " ".join(v)[-40:] if isinstance(v, list) else str(v)
)
def test_one_paragraph_the_right_code_and_nothing_behind(
    home: Home, typed: list[str], code: int, names: list[str]
) -> None:
    for name, text in CONFIGS.items():
        (home.root / name).write_text(text)
    done = home.perf(*typed)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    for name in names:
        assert name in done.stderr, done.stderr
    assert home.records() == []
    assert home.journals() == []
    if "Usage:" not in done.stderr:  # the command line's own refusals are typer's
        told = [line for line in done.stderr.splitlines() if line.startswith("perfdb: ")]
        assert len(told) == 1
        assert told[0].rstrip().endswith((".", ")"))


def _parsl_perf_that(says: str, root: Path) -> str:
    """A Python with the real Parsl whose parsl-perf is a stand-in: the real one never misbehaves on request."""
    import subprocess
    import sysconfig

    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(root / "venv")], check=True)
    (site,) = (root / "venv").glob("lib/python*/site-packages")
    (site / "real.pth").write_text(sysconfig.get_path("purelib") + "\n")
    stand_in = root / "venv" / "bin" / "parsl-perf"
    stand_in.write_text("import sys, time\n" + textwrap.dedent(says))
    stand_in.chmod(0o755)
    return str(root / "venv" / "bin" / "python")


GOOD = """\
for n, tasks in ((1, 10), (2, 2000)):
    print(f"==== Iteration {n} ====")
    print(f"Will run {tasks} tasks")
    print("Submitting tasks / invoking apps")
    print(f"All {tasks} tasks submitted ... waiting for completion")
    print(f"Submission took {tasks / 2000:.3f} seconds = 2000.000 tasks/second")
    print(f"Runtime: actual {tasks / 1000:.3f}s vs target 2.0s")
    print("Tasks per second: 1000.000")
"""


def test_a_line_that_is_not_understood_fails_the_record_and_is_quoted(home: Home) -> None:
    python = _parsl_perf_that(GOOD + "print('Tasks per fortnight: 12')\n", home.root)
    done = home.perf(THREADS, "--python", python, "--no-server", "--no-probe", "--reps", "1")
    assert done.returncode == 3
    assert "Tasks per fortnight: 12" in done.stdout
    (record,) = home.records()
    assert record["status"] == "failed"
    assert "'Tasks per fortnight: 12'" in record["reason"]
    assert [m["values"] for m in record["metrics"] if m["name"] == "warm_tasks_per_s"] == [[1000.0]]


def test_a_parsl_perf_that_fails_leaves_a_failed_record_with_its_last_words(home: Home) -> None:
    python = _parsl_perf_that("sys.exit('no more quota on fakefs')\n", home.root)
    done = home.perf(THREADS, "--python", python, "--no-server", "--reps", "3")
    assert done.returncode == 3
    (record,) = home.records()
    assert record["status"] == "failed"
    assert "no more quota on fakefs" in record["reason"]
    (folder,) = home.folders
    assert "no more quota on fakefs" in (folder / "artifacts" / "01-rep-1.log").read_text()
    # The next repetition would fail alike: it was not tried.
    assert len(list((folder / "artifacts").glob("*.log"))) == 1


def test_a_real_parsl_perf_that_refuses_its_resources_is_told_in_parsls_words(home: Home) -> None:
    done = home.perf(THREADS, "--time", "1", "--reps", "1", "--no-server", "--resources", "{'cores': 1}")
    assert done.returncode == 3
    assert "InvalidResourceSpecification" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_run_too_short_to_trust_is_kept_and_invalid(home: Home) -> None:
    done = home.perf(THREADS, "--iterate", "10,20", "--reps", "1", "--no-server", "--no-probe")
    assert done.returncode == 4
    (record,) = home.records()
    assert record["status"] == "invalid"
    assert [c["name"] for c in record["checks"] if not c["passed"]] == ["warm_long_enough"]


@pytest.mark.parametrize("variable", ["PERFDB_SERVER_PORT", "PERFDB_MLFLOW_TIMEOUT_S", "PERFDB_CONFIG_TIMEOUT_S"])
def test_a_wrong_setting_is_named_with_where_it_comes_from(home: Home, variable: str) -> None:
    home.env[variable] = "plenty"
    done = home.perf(THREADS)
    assert done.returncode == 1
    assert variable in done.stderr
    assert "Traceback" not in done.stderr


def test_a_settings_file_that_is_no_toml_is_named(home: Home) -> None:
    (home.root / "perfdb.toml").write_text("machine = \n")
    done = home.perfdb("list")
    assert done.returncode == 1
    assert "perfdb.toml" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_registry_that_is_no_folder_is_told_before_anything_is_measured(home: Home) -> None:
    (home.root / "mlruns").write_text("")
    done = home.perf(THREADS, *("--time", "1"))
    assert done.returncode == 1
    assert "Nothing was measured" in done.stderr
    assert home.journals() == []


def test_unknown_and_ambiguous_ids_are_told(home: Home) -> None:
    done = home.perfdb("show", "zz")
    assert done.returncode == 1
    assert "perfdb list" in done.stderr
    assert os.linesep in done.stderr


def test_a_config_that_prints_by_other_means_and_leaves_a_process_disturbs_nothing(home: Home) -> None:
    (home.root / "loud.py").write_text(
        "import os, subprocess\nos.system('echo module loaded')\n"
        "subprocess.Popen(['sleep', '600'], start_new_session=True)\n" + OK
    )
    done = home.perf("loud.py", "--iterate", "10,20", "--reps", "1", "--no-probe", "--no-server")
    assert done.returncode == 4, done.stdout + done.stderr
    (record,) = home.records()
    assert [c["name"] for c in record["checks"] if not c["passed"]] == ["warm_long_enough"]
    assert home.processes() == []


def test_a_folder_with_modules_of_our_names_does_not_come_in_between(home: Home) -> None:
    for name in ("psutil.py", "json.py", "perfdb.py"):
        (home.root / name).write_text("raise SystemExit('a stranger was imported')\n")
    (home.root / "ok.py").write_text(OK)
    done = home.perf("ok.py", "--iterate", "10,20", "--reps", "1", "--no-probe", "--no-server")
    assert done.returncode == 4, done.stdout + done.stderr
    assert "stranger" not in done.stdout + done.stderr


def test_a_work_folder_that_cannot_be_made_is_told(home: Home) -> None:
    (home.root / "in-the-way").write_text("")
    home.env["PERFDB_WORK_DIR"] = str(home.root / "in-the-way" / "work")
    done = home.perf(THREADS, "--time", "1")
    assert done.returncode == 1
    assert "PERFDB_WORK_DIR" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_config_that_cannot_scale_is_refused_in_words_about_the_config(home: Home) -> None:
    done = home.perfdb("run", "autoscale", THREADS, "--no-server")
    assert done.returncode == 1
    assert "ThreadPoolExecutor, which takes no blocks" in done.stderr
    assert "init_blocks" not in done.stderr
    assert home.records() == []
