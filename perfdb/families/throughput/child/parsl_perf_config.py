"""The config file that parsl-perf is given. parsl-perf executes it twice, and so the user's, as it would that one."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "..", "parsl_config", "child"))
import user_config

del sys.path[0]

config = user_config.load()
