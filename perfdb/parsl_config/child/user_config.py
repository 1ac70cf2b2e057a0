"""Load the config under test inside a child that measures. Standard library and Parsl alone, any Python since 3.8."""

import importlib.util
import json
import os
import sys
from pathlib import Path

# The same code that set these attributes when the config was described, and that found out their full names.
OVERRIDES = Path(__file__).absolute().parent / "overrides.py"


def load():
    """The user's Config, with a run folder of this child's own so that its jobs and logs can be found."""
    # What a config prints, itself or by a command that it runs, must not stand between the lines that are measured.
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    writes_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # it would hold the config's secrets
    try:
        spec = importlib.util.spec_from_file_location("", os.environ["PERFDB_CONFIG"])
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        config = module.config if hasattr(module, "config") else module.fresh_config()
    finally:
        sys.dont_write_bytecode = writes_bytecode
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
    overrides = json.loads(os.environ.get("PERFDB_OVERRIDES", "{}"))
    if overrides:
        spec = importlib.util.spec_from_file_location("perfdb_overrides", str(OVERRIDES))
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.apply(config, overrides)
    config.run_dir = os.environ["PERFDB_RUN_DIR"]
    # parsl.log names the cluster jobs, should somebody have to end them for us.
    config.initialize_logging = config.initialize_logging or True
    return config
