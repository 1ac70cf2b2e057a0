"""Load the config under test inside a child. Standard library and Parsl alone, any Python since 3.8."""

import contextlib
import importlib.util
import os
import sys


def load():
    """The user's Config, with a run folder of this child's own so that its jobs and logs can be found."""
    # What a config prints must not stand between the lines that are measured.
    with contextlib.redirect_stdout(sys.stderr):
        spec = importlib.util.spec_from_file_location("", os.environ["PERFDB_CONFIG"])
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        config = module.config if hasattr(module, "config") else module.fresh_config()
    config.run_dir = os.environ["PERFDB_RUN_DIR"]
    return config
