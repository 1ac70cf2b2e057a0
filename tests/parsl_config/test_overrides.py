"""Params set in place of the file's values: real Parsl, real workers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from perfdb import parsl_config
from perfdb.errors import ConfigError
from perfdb.parsl_config import ConfigDescription, describe
from perfdb.redaction import Identity

CHILD = Path(parsl_config.__file__).parent / "child"
THREADS = """
    from parsl.config import Config
    from parsl.executors import ThreadPoolExecutor
    config = Config(executors=[ThreadPoolExecutor(label="threads", max_threads=2)])
"""
HTEX = """
    from parsl.config import Config
    from parsl.executors import HighThroughputExecutor
    from parsl.providers import LocalProvider
    config = Config(executors=[HighThroughputExecutor(
        label="htex", address="127.0.0.1", provider=LocalProvider(init_blocks=1, min_blocks=1, max_blocks=1),
    )])
"""
SLURM = """
    from parsl.config import Config
    from parsl.executors import HighThroughputExecutor
    from parsl.launchers import SrunLauncher
    from parsl.providers import SlurmProvider
    config = Config(executors=[HighThroughputExecutor(label="htex", cores_per_worker=2, provider=SlurmProvider(
        "debug", account="physics", cores_per_node=16, worker_init="true", launcher=SrunLauncher(),
    ))])
"""
BOTH = """
    from parsl.config import Config
    from parsl.executors import HighThroughputExecutor, ThreadPoolExecutor
    config = Config(executors=[ThreadPoolExecutor(label="a"), HighThroughputExecutor(label="b")])
"""
# What a measuring child does, and then asks of the executor.
MEASURING = """
import json, sys, time
sys.path.insert(0, {child!r})
import user_config
import parsl
config = user_config.load()
parsl.load(config)
executor = config.executors[0]

@parsl.python_app
def where():
    import os, threading, time
    time.sleep(0.05)
    return os.getpid(), threading.get_ident()

workers = {{future.result() for future in [where() for _ in range(40)]}}
managers = executor.connected_managers() if hasattr(executor, "connected_managers") else []
print(json.dumps({{"seen": len(workers), "told": [manager["worker_count"] for manager in managers]}}))
parsl.dfk().cleanup()
"""


@pytest.fixture
def overridden(tmp_path):
    def describe_with(text: str, **overrides: object) -> ConfigDescription:
        path = tmp_path / "local_fake.py"
        path.write_text(textwrap.dedent(text))
        named = {name if "." in name else name.replace("__", "."): value for name, value in overrides.items()}
        return describe(path, python=Path(sys.executable), timeout_s=60, identity=Identity(), overrides=named)

    return describe_with


def measured_workers(tmp_path: Path, found: ConfigDescription) -> dict[str, object]:
    env = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PERFDB_CONFIG": str(tmp_path / "local_fake.py"),
        "PERFDB_RUN_DIR": str(tmp_path / "runinfo"),
        "PERFDB_OVERRIDES": json.dumps(found.overrides),
    }
    script = MEASURING.format(child=str(CHILD))
    done = subprocess.run(
        [sys.executable, "-c", script], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    told: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return told


def test_threads_are_as_many_as_was_set(overridden, tmp_path):
    found = overridden(THREADS, workers=4)
    assert found.overrides == {"executor.max_threads": 4}
    assert found.params["executor.max_threads"] == 4
    assert measured_workers(tmp_path, found) == {"seen": 4, "told": []}


def test_htex_has_as_many_workers_as_was_set(overridden, tmp_path):
    found = overridden(HTEX, workers=1)
    assert found.overrides == {"executor.max_workers_per_node": 1}
    assert measured_workers(tmp_path, found) == {"seen": 1, "told": [1]}


def test_the_fingerprint_is_that_of_the_same_values_in_the_file(overridden):
    plain, over = overridden(THREADS), overridden(THREADS, workers=4)
    in_file = overridden(THREADS.replace("max_threads=2", "max_threads=4"))
    assert plain.fingerprint != over.fingerprint
    assert over.fingerprint == in_file.fingerprint
    assert plain.overrides == {}
    assert over.source_sha256 == plain.source_sha256


def test_blocks_are_init_min_and_max_alike(overridden):
    found = overridden(HTEX, blocks=3, nodes=2, cores_per_worker=0.5)
    assert found.overrides == {
        "provider.init_blocks": 3,
        "provider.min_blocks": 3,
        "provider.max_blocks": 3,
        "provider.nodes_per_block": 2,
        "executor.cores_per_worker": 0.5,
    }
    assert {name: found.params[name] for name in found.overrides} == found.overrides


def test_a_short_name_reaches_every_executor_that_has_it(overridden):
    found = overridden(BOTH, workers=3)
    assert found.overrides == {"executor.0.max_threads": 3, "executor.1.max_workers_per_node": 3}
    assert overridden(BOTH, executor__0__max_threads=5).overrides == {"executor.0.max_threads": 5}


def test_texts_and_truth_values_can_be_set(overridden):
    found = overridden(SLURM, executor__encrypted=False, config__strategy="none", provider__walltime="01:00:00")
    assert (found.params["executor.encrypted"], found.params["provider.walltime"]) == (False, "01:00:00")
    assert found.params["config.strategy"] == "none"


def test_what_htex_counts_when_it_is_made_is_counted_again(tmp_path):
    script = f"""
import sys
sys.path.insert(0, {str(Path(describe.__code__.co_filename).parent / "child")!r})
import overrides
{textwrap.dedent(SLURM)}
executor = config.executors[0]
for values in ({{}}, {{"executor.cores_per_worker": 4}}, {{"executor.max_workers_per_node": 3}},
               {{"provider.cores_per_node": 4}}):
    overrides.apply(config, values)
    print(executor.workers_per_node, end=" ")
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    # 16 cores by 2, by 4, at most 3, 4 cores by 4
    assert done.stdout.split() == ["8", "4", "3", "1"]


@pytest.mark.parametrize(
    ("text", "overrides", "said"),
    [
        (THREADS, {"workers": "4"}, "executor.max_threads is a whole number, not '4'"),
        (THREADS, {"workers": 0}, "a whole number"),
        (THREADS, {"workers": -1}, "a whole number"),
        (THREADS, {"workers": 1.5}, "a whole number"),
        (THREADS, {"workers": True}, "a whole number"),
        (THREADS, {"workers": None}, "a whole number"),
        (THREADS, {"blocks": 2}, "blocks stands for nothing"),
        (THREADS, {"workrs": 2}, "workrs is no param of this config. Of .* can be set: .*executor.max_threads"),
        (THREADS, {"executor.1.max_threads": 2}, "is no param"),
        (THREADS, {"provider.max_blocks": 2}, "is no param"),
        (THREADS, {"": 2}, "is no param"),
        (THREADS, {"executor.__class__": 2}, "is no param"),
        (THREADS, {"executor.start": 2}, "is no param"),
        (THREADS, {"executor.label": "x"}, "only be set in the config's file"),
        (HTEX, {"executor.launch_cmd": "true"}, "only be set in the config's file"),
        (HTEX, {"provider.worker_init": "true"}, "only be set in the config's file"),
        (HTEX, {"executor.address": "localhost"}, "only be set in the config's file"),
        (HTEX, {"executor.manager_selector": "x"}, "no single number"),
        (HTEX, {"executor.cores_per_worker": "two"}, "is a number, not 'two'"),
        (HTEX, {"executor.worker_debug": 1}, "true or false"),
        (HTEX, {"provider.max_blocks": 0}, "a whole number"),
        (HTEX, {"provider.min_blocks": 2}, "may not be more than"),
        (HTEX, {"provider.init_blocks": 2}, "may not be more than"),
        (HTEX, {"workers": 2, "executor.max_workers_per_node": 3}, "set twice"),
        (SLURM, {"provider.walltime": "1; rm"}, "signs that a shell reads"),
        # SlurmProvider writes these two into its options while it is constructed.
        (SLURM, {"provider.partition": "other"}, "changes nothing"),
        (SLURM, {"provider.account": "other"}, "changes nothing"),
        (SLURM, {"launcher.overrides": "x"}, "only be set in the config's file"),
    ],
)
def test_an_override_that_cannot_be_is_told_in_one_paragraph(overridden, text, overrides, said):
    with pytest.raises(ConfigError, match=said) as caught:
        overridden(text, **overrides)
    assert "\n" not in str(caught.value)


def test_what_is_read_only_while_the_config_loads_is_refused(overridden):
    text = """
        from parsl.config import Config
        from parsl.executors import ThreadPoolExecutor
        class Twice(ThreadPoolExecutor):
            def __init__(self, half=1):
                super().__init__(label="twice", max_threads=2 * half)
                self.half = half
        config = Config(executors=[Twice()])
    """
    with pytest.raises(ConfigError, match="changes nothing"):
        overridden(text, executor__half=3)


def test_what_no_record_may_hold_is_refused(overridden):
    text = """
        from parsl.config import Config
        from parsl.executors import ThreadPoolExecutor
        class Own(ThreadPoolExecutor):
            def __init__(self, api_token="x"):
                super().__init__(label="own")
                self.api_token = api_token
            def start(self):
                print(self.api_token)
        config = Config(executors=[Own()])
    """
    with pytest.raises(ConfigError, match="no record may") as caught:
        overridden(text, executor__api_token="FAKE-token-1")
    assert "FAKE-token-1" not in str(caught.value)


def test_overrides_left_in_the_environment_change_nothing(overridden, monkeypatch):
    monkeypatch.setenv("PERFDB_OVERRIDES", '{"workers": 9}')
    assert overridden(THREADS).params["executor.max_threads"] == 2
