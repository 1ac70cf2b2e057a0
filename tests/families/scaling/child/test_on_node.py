"""A client where perfdb is not: its files are sent there as text, and by Parsl."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from perfdb.families.scaling.clients.merge import merge
from perfdb.families.scaling.plan import LoadPlan
from tests.families.scaling.loads import CHILD, answers, child_modules, service

# Python alone, without site-packages: what a bare node has.
NODE = """
import json, sys
asked = json.load(sys.stdin)
namespace = {}
exec(asked["source"], namespace)
print(json.dumps(namespace["clients"](*asked["arguments"])))
"""


def test_clients_run_where_only_python_is_and_nothing_that_lies_about(tmp_path: Path) -> None:
    # Whoever may write to a folder for temporary files, or to the one we are in.
    for folder in ("", "here"):
        (tmp_path / folder).mkdir(exist_ok=True)
        for name in ("hmac", "engine", "json", "histogram"):
            (tmp_path / folder / f"{name}.py").write_text("raise SystemExit('a stranger runs as us')")
    before = sorted(tmp_path.rglob("*"))
    (packing,) = child_modules("packed")
    there = service()
    plan = LoadPlan(url=there.url, shape="burst", sessions=20, wait_s=0.1, clients=3)
    asked = {
        "source": (CHILD / "on_node.py").read_text(),
        "arguments": (packing.packed(), plan.model_dump_json(), "key", 1, 2),
    }
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", NODE],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        cwd=tmp_path / "here",
        env={"TMPDIR": str(tmp_path), "PYTHONPATH": ":/nowhere"},
        timeout=60,
        check=True,
    )
    code, said, words = json.loads(done.stdout)
    assert (code, words) == (0, "")
    merged = merge(answers(said))
    assert merged.silent == (0,)
    assert [one.row.session for one in merged.told] == [n for n in range(20) if n % 3 != 0]
    assert merged.all == {"ok": 13}
    assert sorted(tmp_path.rglob("*")) == before
