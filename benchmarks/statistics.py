"""Calibrate the statistics: `python benchmarks/statistics.py [--cases N] [--seed S]`; see calibration.py.

Python looks in this folder first for whatever a benchmark imports, its own module `statistics` included. Who asks for
that gets that.
"""

import importlib.util
import sys
import sysconfig
from pathlib import Path

if __name__ == "__main__":
    from calibration import main

    main()
else:
    _spec = importlib.util.spec_from_file_location(__name__, Path(sysconfig.get_path("stdlib"), "statistics.py"))
    sys.modules[__name__] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules[__name__])
