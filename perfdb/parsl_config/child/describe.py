"""Load one Parsl config and say what it sets up: `python describe.py CONFIG`, JSON on the file descriptor in ANSWER_FD.

Runs under Python >= 3.8 with any Parsl since 2023.10.16, so it needs nothing but those and the files beside it.
"""

import ctypes
import json
import os
import signal
import sys
import traceback
from pathlib import Path

ANSWER_FD = "PERFDB_ANSWER_FD"
PARENT = "PERFDB_PARENT_PID"
OVERRIDES = "PERFDB_OVERRIDES"
PR_SET_PDEATHSIG = 1
LONGEST_STRING = 65536
MOST_STRINGS = 500
HERE = Path(__file__).absolute().parent


class Refusal(Exception):
    """The config can't be described; `kind` tells the parent which paragraph to write."""

    def __init__(self, kind, **facts):
        super().__init__(kind)
        self.answer = dict(facts, error=kind)


def main(path):
    """Print what the config of that path is, as one line of JSON: the only thing on stdout."""
    if sys.platform == "linux":
        # A config may loop for ever: should perfdb be killed meanwhile, the kernel ends us as well.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if int(os.environ.pop(PARENT)) != os.getppid():  # it died before we could say so
        os._exit(1)
    answer_fd = int(os.environ.pop(ANSWER_FD))
    os.set_inheritable(answer_fd, False)
    asked = json.loads(os.environ.pop(OVERRIDES, "{}"))
    # The config may print what it likes: standard output becomes standard error.
    os.dup2(2, 1)
    strings = []
    try:
        answer = _describe(path, strings, asked)
    except Refusal as refusal:
        answer = refusal.answer
    answer["strings"] = [[plain(name), plain(text)] for name, text in strings if len(text) <= LONGEST_STRING]
    data = json.dumps(answer, allow_nan=False).encode("ascii") + b"\n"
    while data:
        data = data[os.write(answer_fd, data) :]
    # Threads and exit hooks that the config left behind are nobody's business any more.
    os._exit(0)


def _describe(path, strings, asked):
    try:
        import parsl.config
    except BaseException as error:
        missing = getattr(error, "name", None)
        raise Refusal("parsl_missing" if missing == "parsl" else "parsl_broken", **_told(error, path)) from error
    import overrides
    import software
    import walk

    # The config must find what it would find without us, and leave no bytecode with its secrets on disk.
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").absolute() != HERE]
    del sys.modules["overrides"], sys.modules["software"], sys.modules["walk"]
    sys.dont_write_bytecode = True
    environ = dict(os.environ)
    module = _load(path, strings)
    config = _config_of(module, path)
    strings.extend((key, value) for key, value in os.environ.items() if environ.get(key) != value)
    if not isinstance(config, parsl.config.Config):
        raise Refusal("not_a_config", found=plain(walk.class_name(type(config))))
    executors = list(config.executors)
    labels = [plain(str(executor.label)) for executor in executors]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        raise Refusal("labels", message=", ".join(twice))
    resolved = _override(config, asked, overrides, walk)
    try:
        params = walk.config_params(config)
    except walk.TooLarge as error:
        raise Refusal("too_large", message=str(error)) from error
    except Exception as error:
        raise Refusal("exception", **_told(error, path)) from error
    answer = software.facts()
    answer.update(
        params=[[[plain(part) for part in parts], value] for parts, value in params],
        executors=[walk.executor_facts(executor) for executor in executors],
        run_dir=plain(str(config.run_dir)),
        monitoring=config.monitoring is not None,
        usage_tracking=bool(config.usage_tracking),
        overrides=resolved,
    )
    return answer


def _override(config, asked, overrides, walk):
    """Set what was asked for in place of the file's values; their full names."""
    if not asked:
        return {}
    try:
        resolved = overrides.resolve(config, asked, walk.parameters)
        overrides.apply(config, resolved)
        overrides.check_together(config)
    except overrides.Refused as refused:
        names = overrides.settable(config, walk.parameters)
        raise Refusal(
            "override", message=plain(str(refused)), names=[plain(name) for name in names[:MOST_STRINGS]]
        ) from refused
    return {plain(name): value for name, value in resolved.items()}


def _load(path, strings):
    import importlib.util

    # As parsl-perf does it, nameless module included: what loads here loads there.
    spec = importlib.util.spec_from_file_location("", path)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException as error:  # noqa: BLE001 (SystemExit and all: whatever a config raises is told)
        _raise_told(error, path)
    finally:
        # The parent finds the secrets among them, whatever expression they came from.
        found = [(name, value) for name, value in list(vars(module).items()) if isinstance(value, str)]
        strings.extend([pair for pair in found if not pair[0].startswith("__")][:MOST_STRINGS])
    return module


def _config_of(module, path):
    if hasattr(module, "config"):
        return module.config
    if not hasattr(module, "fresh_config"):
        raise Refusal("no_config")
    try:
        return module.fresh_config()
    except BaseException as error:  # noqa: BLE001 (SystemExit and all: whatever a config raises is told)
        _raise_told(error, path)


def _raise_told(error, path):
    told = _told(error, path)
    kind = "exception"
    if isinstance(error, SystemExit):
        kind = "exit"
    elif isinstance(error, SyntaxError) and told["syntax_in_config"]:
        kind = "syntax"
    elif isinstance(error, ModuleNotFoundError) or type(error).__name__ == "OptionalModuleMissing":
        kind = "missing"
    elif isinstance(error, OSError) and "Flux installation" in told["message"]:
        kind, told["modules"] = "missing", ["flux"]
    elif type(error).__name__ == "ConfigurationError" and "unique labels" in str(error):
        kind = "labels"
    raise Refusal(kind, **told) from error


def _told(error, path):
    """What an exception says and which line of the config it came through last."""
    same = Path(path).absolute()
    line = 0
    for frame in traceback.extract_tb(error.__traceback__):
        if Path(frame.filename).absolute() == same:
            line = frame.lineno or line
    in_config = isinstance(error, SyntaxError) and Path(error.filename or "").absolute() == same
    if in_config:
        line = error.lineno or line
    try:
        message = str(error.msg if in_config else error)
    except BaseException:  # noqa: BLE001 (its __str__ is the config's too)
        message = ""
    modules = getattr(error, "module_names", None) or [getattr(error, "name", None)]
    return {
        "type": plain(type(error).__name__),
        "message": plain(message[:4000]),
        "line": line,
        "syntax_in_config": in_config,
        "modules": [plain(name) for name in modules if isinstance(name, str)],
    }


def plain(text):
    """Text that survives UTF-8: undecodable names of files carry lone surrogates."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
