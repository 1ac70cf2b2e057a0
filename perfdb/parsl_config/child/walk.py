"""From a Parsl Config to flat parameters: [path of names, value], in the config's order."""

import contextlib
import enum
import functools
import inspect
import math
import numbers
import os

MOST_PARAMS = 2000
DEEPEST = 8
LARGEST_INT = 2**53 - 1  # what JSON carries exactly everywhere


class TooLarge(Exception):
    """More parameters than a set-up can sensibly have."""


def config_params(config):
    """The parameters of a Parsl config, with its executors, providers and launchers, by dotted names."""
    walk = _Walk()
    walk.object(["config"], config, skip=("executors",))
    executors = list(config.executors)
    for index, executor in enumerate(executors):
        suffix = [] if len(executors) == 1 else [str(index)]
        walk.object(["executor", *suffix], executor, skip=("provider",))
        provider = getattr(executor, "provider", None)
        if provider is not None:
            walk.object(["provider", *suffix], provider, skip=("launcher",))
            launcher = getattr(provider, "launcher", None)
            if launcher is not None:
                walk.object(["launcher", *suffix], launcher)
    return walk.found


def executor_facts(executor):
    """An executor's label, and the names of its class, its provider's and its launcher's; None where it has none."""
    provider = getattr(executor, "provider", None)
    launcher = getattr(provider, "launcher", None)
    return {
        "label": _text(str(executor.label)),
        "class_name": class_name(type(executor)),
        "provider_class": None if provider is None else class_name(_parsls(type(provider))),
        "launcher_class": None if launcher is None else class_name(type(launcher)),
    }


def _parsls(cls):
    """Parsl's own class, or perfdb's, behind a site's subclass: it tells which batch system the jobs go to."""
    return next((base for base in cls.__mro__ if base.__module__.startswith(("parsl.", "perfdb."))), cls)


def class_name(cls):
    """Parsl's own by their short name, as its users write them."""
    if cls.__module__.split(".")[0] in ("parsl", "builtins", ""):
        return cls.__qualname__
    return f"{cls.__module__}.{cls.__qualname__}"


class _Walk:
    def __init__(self):
        self.found = []
        self._above = []

    def object(self, path, thing, skip=()):
        self._add([*path, "class"], class_name(type(thing)))
        self._above.append(id(thing))
        for name in parameters(type(thing)):
            if name not in skip:
                self._value([*path, name], _attribute(thing, name))
        self._above.pop()

    def _add(self, path, value):
        if len(self.found) >= MOST_PARAMS:
            raise TooLarge(f"more than {MOST_PARAMS} parameters")
        self.found.append((path, value))

    def _value(self, path, value):
        if isinstance(value, dict):
            self._items(path, value, [(_key(key), item) for key, item in value.items()], "{}")
        elif isinstance(value, (list, tuple)):
            self._items(path, value, [(str(index), item) for index, item in enumerate(value)], "[]")
        elif isinstance(value, (set, frozenset)):
            ordered = sorted(value, key=lambda item: str(_scalar(item)))
            self._items(path, value, [(str(index), item) for index, item in enumerate(ordered)], "[]")
        elif _is_parameter_object(value) and not self._too_deep(path, value):
            self.object(path, value)
        else:
            self._add(path, _scalar(value))

    def _items(self, path, value, items, empty):
        if not items:
            self._add(path, empty)
        elif self._too_deep(path, value):
            self._add(path, class_name(type(value)))
        else:
            self._above.append(id(value))
            for key, item in items:
                self._value([*path, key], item)
            self._above.pop()

    def _too_deep(self, path, value):
        return len(path) >= DEEPEST or id(value) in self._above


def parameters(cls):
    """Every name that the constructor takes; where it takes any, also what the classes above it take."""
    names = []
    for ancestor in cls.__mro__:
        init = vars(ancestor).get("__init__")
        if init is None or ancestor is object:
            continue
        for _ in range(8):
            if not hasattr(init, "__wrapped__"):
                break
            init = init.__wrapped__
        try:
            spec = inspect.getfullargspec(init)
        except TypeError:
            break
        names += [name for name in [*spec.args[1:], *spec.kwonlyargs] if name not in names]
        if spec.varkw is None:
            break
    return [name for name in names if not name.startswith("_")]


def _attribute(thing, name):
    for attribute in (name, "_" + name):
        with contextlib.suppress(Exception):  # a property may raise anything
            return getattr(thing, attribute)
    return "unrecorded"


def _is_parameter_object(value):
    cls = type(value)
    if isinstance(value, (type, enum.Enum)) or (callable(value) and not hasattr(value, "__dict__")):
        return False
    if inspect.isroutine(value) or isinstance(value, functools.partial):
        return False
    return cls.__module__.split(".")[0] == "parsl" or any(
        base.__name__ == "RepresentationMixin" for base in cls.__mro__
    )


def _key(key):
    return str(_scalar(key)) or "_"


def _scalar(value):
    """A value as JSON has it. Never a repr: those of unknown objects hold addresses of memory."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, numbers.Integral):
        value = int(value)
        return value if abs(value) <= LARGEST_INT else str(value)
    if isinstance(value, float):
        value = float(value)
        return value if math.isfinite(value) else str(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, os.PathLike):
        return _text(str(os.fspath(value)))
    if isinstance(value, bytes):
        return _text(value.decode("utf-8", "backslashreplace"))
    return _text(_rendered(value))


def _rendered(value):
    if isinstance(value, type):
        return class_name(value)
    if isinstance(value, functools.partial):
        return f"partial({_rendered(value.func)})"
    if inspect.isroutine(value):
        module = getattr(value, "__module__", None) or ""
        return f"{module}.{value.__qualname__}".lstrip(".")
    return class_name(type(value))


def _text(text):
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
