"""What this Python has: Parsl, the packages it stands on, and which parsl-perf it would run."""

import contextlib
import io
import os
import platform
import re
import shutil
import sys
import sysconfig
from importlib import metadata
from pathlib import Path


def facts():
    """The versions of this Python, of Parsl and of what else lies beside it, by name."""
    import parsl

    return {
        "parsl_version": str(parsl.__version__),
        "python_version": platform.python_version(),
        "python_implementation": platform.python_implementation(),
        "packages": packages(),
        "parsl_perf": parsl_perf(),
        "parsl_perf_flags": parsl_perf_flags(),
    }


def packages():
    """Name and version of Parsl and of all it needs; of its own extras those that are installed."""
    versions = {}
    waiting = ["parsl"]
    while waiting:
        name = waiting.pop()
        if name in versions:
            continue
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        versions[name] = str(found.version)
        for requirement in found.requires or ():
            needed = re.match(r"[A-Za-z0-9._-]+", requirement)
            if needed and (name == "parsl" or not re.search(r";.*\bextra\b", requirement)):
                waiting.append(re.sub(r"[-_.]+", "-", needed.group()).lower())
    return versions


def parsl_perf():
    """The parsl-perf of this very Python; one on PATH may belong to another."""
    folders = [Path(sys.executable).parent, sysconfig.get_path("scripts")]
    user_scheme = f"{os.name}_user"
    if user_scheme in sysconfig.get_scheme_names():
        folders.append(sysconfig.get_path("scripts", user_scheme))
    for folder in folders:
        candidate = Path(folder) / "parsl-perf"
        if candidate.is_file() and os.access(str(candidate), os.X_OK):
            return str(candidate)
    return shutil.which("parsl-perf")


def parsl_perf_flags():
    """The flags that this release's parsl-perf knows, as its own --help tells."""
    told = io.StringIO()
    argv = sys.argv
    sys.argv = ["parsl-perf", "--help"]
    try:
        from parsl.benchmark.perf import cli_run

        with contextlib.redirect_stdout(told):
            cli_run()
    except SystemExit:
        pass
    except Exception:  # noqa: BLE001 (a Parsl without parsl-perf can still be described)
        return []
    finally:
        sys.argv = argv
    flags = re.findall(r"^ +(?:-\w(?: \w+)?, )?(--[a-z][a-z-]*)", told.getvalue(), re.MULTILINE)
    return sorted(set(flags) - {"--help"})
