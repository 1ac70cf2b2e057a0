"""What is told about configs that load."""

import hashlib
import sys
from importlib.metadata import version
from pathlib import Path

THREADS = """
    from parsl.config import Config
    from parsl.executors import ThreadPoolExecutor
    config = Config(executors=[ThreadPoolExecutor(label="threads", max_threads=3)], retries=2)
"""


def test_one_executor_has_plain_names_and_typed_values(described):
    found = described("""
        from parsl.config import Config
        from parsl.executors import HighThroughputExecutor
        from parsl.launchers import SrunLauncher
        from parsl.providers import SlurmProvider
        config = Config(executors=[HighThroughputExecutor(
            label="htex", cores_per_worker=0.5, available_accelerators=["gpu0", "gpu1"],
            provider=SlurmProvider("debug", max_blocks=3, launcher=SrunLauncher(overrides="-x")),
        )])
    """)
    expected = {
        "config.class": "Config",
        "config.strategy": "simple",
        "config.monitoring": None,
        "config.garbage_collect": True,
        "executor.class": "HighThroughputExecutor",
        "executor.label": "htex",
        "executor.cores_per_worker": 0.5,
        "executor.max_workers_per_node": "inf",
        "executor.available_accelerators.0": "gpu0",
        "executor.available_accelerators.1": "gpu1",
        "executor.manager_selector.class": "RandomManagerSelector",
        "executor.block_error_handler": "parsl.jobs.error_handlers.simple_error_handler",
        "provider.class": "SlurmProvider",
        "provider.partition": "debug",
        "provider.max_blocks": 3,
        "provider.exclusive": True,
        "launcher.class": "SrunLauncher",
        "launcher.overrides": "-x",
    }
    assert {key: found.params[key] for key in expected} == expected
    assert "unrecorded" not in found.params.values()
    (executor,) = found.executors
    assert executor.model_dump() == {
        "label": "htex",
        "class_name": "HighThroughputExecutor",
        "provider_class": "SlurmProvider",
        "launcher_class": "SrunLauncher",
    }


def test_several_executors_are_numbered_in_the_config_s_order(described):
    found = described("""
        from parsl.config import Config
        from parsl.executors import HighThroughputExecutor, ThreadPoolExecutor
        config = Config(executors=[ThreadPoolExecutor(label="b"), HighThroughputExecutor(label="a")])
    """)
    assert found.params["executor.0.label"] == "b"
    assert found.params["executor.1.label"] == "a"
    assert found.params["provider.1.class"] == "LocalProvider"
    assert found.params["launcher.1.class"] == "SingleNodeLauncher"
    assert "provider.0.class" not in found.params
    assert [executor.label for executor in found.executors] == ["b", "a"]


def test_odd_values_and_keys_are_flat_finite_and_free_of_addresses(described):
    found = described("""
        from functools import partial
        from pathlib import Path
        from parsl.config import Config
        from parsl.executors.threads import ThreadPoolExecutor

        class Odd(ThreadPoolExecutor):
            def __init__(self, odd, *, empty=(), nothing={}, **more):
                super().__init__(**more)
                self.odd, self.empty, self.nothing = odd, empty, nothing

        round = {}
        round["self"] = round
        config = Config(executors=[Odd(
            {"a b!": float("nan"), "big": 2**70, "f": partial(print), "object": object(), "bytes": b"x",
             "path": Path("x/y"), "set": {2, 1}, "round": round, "surrogate": "\\udc80", "lambda": lambda: 0},
            max_threads=1,
        )])
    """)
    assert found.params["executor.class"] == "Odd"
    assert found.params["executor.max_threads"] == 1
    assert found.params["executor.odd.a b_"] == "nan"
    assert found.params["executor.odd.big"] == str(2**70)
    assert found.params["executor.odd.f"] == "partial(builtins.print)"
    assert found.params["executor.odd.object"] == "object"
    assert found.params["executor.odd.bytes"] == "x"
    assert found.params["executor.odd.path"] == "x/y"
    assert found.params["executor.odd.set.0"] == 1
    assert found.params["executor.odd.round.self"] == "dict"
    assert found.params["executor.odd.surrogate"] == "\\udc80"
    assert found.params["executor.odd.lambda"] == "<lambda>"
    assert found.params["executor.empty"] == "[]"
    assert found.params["executor.nothing"] == "{}"
    assert " at 0x" not in repr(found.params)


def test_equal_set_ups_share_a_fingerprint_and_others_do_not(described):
    plain = described(THREADS)
    again = described("# a remark\nimport os\n" + THREADS.replace("    ", "").replace("config =", "cfg =") + """
def fresh_config():
    return Config(retries=2, run_dir="elsewhere", executors=(ThreadPoolExecutor(max_threads=3, label="threads"),))
""", name="local_other.py")  # fmt: skip
    other = described(THREADS.replace("max_threads=3", "max_threads=4"))
    assert again.fingerprint == plain.fingerprint
    assert other.fingerprint != plain.fingerprint
    assert (again.name, again.run_dir) == ("local_other", "elsewhere")
    assert again.params["config.run_dir"] == "elsewhere"


def test_config_wins_over_fresh_config(described):
    found = described(THREADS + "    fresh_config = lambda: 1 / 0\n")
    assert found.params["executor.label"] == "threads"


def test_what_the_config_prints_does_not_garble_the_answer(described):
    found = described("""
    import os, subprocess, sys
    print('{"error": "no_config"}', flush=True)
    os.write(1, b"noise" * 1000)
    sys.stderr.write("noise" * 100_000)
    subprocess.run(["echo", "noise"])
    """ + THREADS)  # fmt: skip
    assert found.params["executor.label"] == "threads"


def test_the_software_is_told(described):
    found = described(THREADS)
    assert found.parsl_version == version("parsl")
    assert found.packages["parsl"] == version("parsl")
    assert found.packages["pyzmq"] == version("pyzmq")
    assert found.python_version == ".".join(map(str, sys.version_info[:3]))
    assert found.python_implementation == "CPython"
    assert found.parsl_perf == Path(sys.executable).parent / "parsl-perf"
    assert {"--config", "--time", "--resources"} <= set(found.parsl_perf_flags)
    assert not {"--help", "-h"} & set(found.parsl_perf_flags)
    assert (found.monitoring, found.usage_tracking, found.run_dir) == (False, False, "runinfo")


def test_monitoring_and_usage_tracking_are_told(described):
    found = described("""
        from parsl.config import Config
        from parsl.monitoring import MonitoringHub
        config = Config(monitoring=MonitoringHub(resource_monitoring_interval=7), usage_tracking=1)
    """)
    assert found.monitoring
    assert found.usage_tracking
    assert found.params["config.monitoring.class"] == "MonitoringHub"
    assert found.params["config.monitoring.resource_monitoring_interval"] == 7


def test_a_clean_source_is_kept_byte_for_byte(described, tmp_path):
    found = described(THREADS)
    text = (tmp_path / "local_fake.py").read_text()
    assert found.source == text
    assert found.source_sha256 == hashlib.sha256(text.encode()).hexdigest()


def test_no_bytecode_is_left_beside_the_config(described, tmp_path, monkeypatch):
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    described(THREADS)
    assert [path.name for path in tmp_path.iterdir()] == ["local_fake.py"]


def test_its_python_s_programs_come_first_on_path(described):
    found = described("import os\nfirst = os.environ['PATH'].split(os.pathsep)[0]\n" + THREADS.replace("    ", "")
                      + "config = Config(executors=[ThreadPoolExecutor(label=first)])\n")  # fmt: skip
    assert found.executors[0].label == str(Path(sys.executable).parent)


def test_what_is_only_for_this_machine_is_neither_shown_nor_dumped(described):
    found = described("API_TOKEN = 'FAKE-token-1'\n" + THREADS.replace("    ", ""))
    assert found.secrets == ("FAKE-token-1",)
    for hidden in ("secrets", "run_dir=", "parsl_perf="):
        assert hidden not in repr(found)
    assert not {"secrets", "run_dir", "parsl_perf"} & set(found.model_dump())


def test_an_account_that_is_a_plain_word_is_masked_in_its_place_only(described):
    found = described("""
        from parsl.config import Config
        from parsl.executors import HighThroughputExecutor
        from parsl.providers import SlurmProvider
        config = Config(executors=[HighThroughputExecutor(
            label="physics", provider=SlurmProvider("debug", account="physics"),
        )])
    """)
    assert found.params["provider.account"] == "<redacted>"
    assert found.params["executor.label"] == "physics"
    assert 'label="physics", provider=SlurmProvider("debug", account="<redacted>")' in found.source
    assert found.secrets == ()


def test_secrets_that_no_parameter_holds_are_found_too(described):
    found = described("""
    CLIENT = dict(password="FAKE-in-a-call")
    BUILT_TOKEN = "-".join(["FAKE", str(4711)])
    """ + THREADS)  # fmt: skip
    assert {"FAKE-in-a-call", "FAKE-4711"} <= set(found.secrets)
