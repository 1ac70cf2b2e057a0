"""Attributes of a config set in place of what its file says. Standard library alone, any Python since 3.8, any Parsl.

Names are those of the recorded params: `provider.max_blocks`, and `executor.0.max_threads` where there are several
executors. The child that describes resolves and checks them; those that measure set the same ones and ask nothing.
"""

import contextlib
import dis
import inspect
import math
import re
import sys
import typing

# What each short name may stand for: a place, and the names that releases and executors have given it, newest first.
WORKERS = ("max_workers_per_block", "max_workers_per_node", "max_workers", "max_threads")
SHORT = {
    "blocks": [("provider", ("init_blocks",)), ("provider", ("min_blocks",)), ("provider", ("max_blocks",))],
    "workers": [("executor", WORKERS)],
    "nodes": [("provider", ("nodes_per_block",))],
    "cores_per_worker": [("executor", ("cores_per_worker",))],
}
COUNTS = frozenset(("init_blocks", "min_blocks", "max_blocks", "nodes_per_block", *WORKERS))
MAY_BE_ZERO = frozenset(["init_blocks", "min_blocks"])
# Consumed when the object was made, ours to set, or run by a shell.
FIXED = frozenset(["label", "address", "run_dir", "initialize_logging", "project_name"])
CODE = re.compile(r"worker_init|scheduler_options|overrides|prepend|append|.*(_cmd|_command|_init|_options)$|command$")
PLAIN_TEXT = re.compile(r"[A-Za-z0-9_.,:+=/@%-]{0,200}")


class Refused(Exception):
    """An override that cannot be; the message says why."""


def places(config):
    """What has attributes to set, by the prefix of their names."""
    found = {"config": config}
    executors = list(config.executors)
    for index, executor in enumerate(executors):
        suffix = "" if len(executors) == 1 else "." + str(index)
        provider = getattr(executor, "provider", None)
        launcher = getattr(provider, "launcher", None)
        for kind, thing in (("executor", executor), ("provider", provider), ("launcher", launcher)):
            if thing is not None:
                found[kind + suffix] = thing
    return found


def apply(config, values):
    """Set them, by their full names."""
    found = places(config)
    for name, value in values.items():
        prefix, _, attribute = name.rpartition(".")
        _set(found[prefix], attribute, value)
        if attribute == "max_workers_per_block":  # MPIExecutor hands it to HTEX under the other name
            _set(found[prefix], "max_workers_per_node", value)
    if values:
        for executor in config.executors:
            _count_workers(executor)


def resolve(config, asked, parameters):
    """The asked-for overrides by their full names, each checked.

    `parameters` gives the names that a class's constructor takes.
    """
    values = {}
    found = places(config)
    for name, value in asked.items():
        for full in _full_names(found, name, parameters):
            if full in values and values[full] != value:
                raise Refused(full + " is set twice")
            prefix, _, attribute = full.rpartition(".")
            _check(found[prefix], attribute, full, value)
            values[full] = value
    return values


def check_together(config):
    """What no single override shows."""
    for prefix, thing in places(config).items():
        counts = [getattr(thing, name, None) for name in ("init_blocks", "min_blocks", "max_blocks")]
        if all(isinstance(count, int) for count in counts) and max(counts[:2]) > counts[2]:
            raise Refused(
                "{0}.init_blocks = {1} and {0}.min_blocks = {2} may not be more than {0}.max_blocks = {3}; "
                "`blocks` sets all three".format(prefix, *counts)
            )


def settable(config, parameters):
    """The full names of all that can be set, in the config's order."""
    names = []
    for prefix, thing in places(config).items():
        for name in parameters(type(thing)):
            with contextlib.suppress(Refused):
                _check_name(thing, name, prefix + "." + name)
                names.append(prefix + "." + name)
    return names


def _full_names(found, name, parameters):
    if name not in SHORT:
        prefix, _, attribute = name.rpartition(".")
        if prefix not in found or attribute not in parameters(type(found[prefix])):
            raise Refused(name + " is no param of this config")
        return [name]
    full = []
    for kind, attributes in SHORT[name]:
        for prefix, thing in found.items():
            if prefix.split(".")[0] == kind:
                known = [attribute for attribute in attributes if attribute in parameters(type(thing))]
                full += [prefix + "." + attribute for attribute in known[:1]]
    if not full:
        raise Refused(name + " stands for nothing that this config's executors or providers have")
    return full


def _check(thing, attribute, full, value):
    _check_name(thing, attribute, full)
    allowed = _types(thing, attribute)
    if isinstance(value, bool):
        fits = bool in allowed
    elif isinstance(value, int):
        fits = int in allowed or float in allowed
    elif isinstance(value, float):
        fits = float in allowed and math.isfinite(value)
    else:
        fits = type(value) in allowed
    if attribute in COUNTS:
        fits = type(value) is int and value >= (0 if attribute in MAY_BE_ZERO else 1)
    if isinstance(value, str) and not PLAIN_TEXT.fullmatch(value):
        raise Refused(full + " takes no text with blanks, quotes or other signs that a shell reads")
    if not fits:
        wanted = "a whole number" if attribute in COUNTS else " or ".join(sorted(WORDS[one] for one in allowed))
        raise Refused(f"{full} is {wanted}, not {value!r}")


WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", type(None): "none"}


def _check_name(thing, attribute, full):
    if attribute in FIXED or CODE.fullmatch(attribute):
        raise Refused(full + " can only be set in the config's file")
    holder = _holder(thing, attribute)
    if holder is None:
        raise Refused(full + " cannot be set once the config is loaded")
    if type(getattr(thing, holder)) not in WORDS:
        raise Refused(full + " is no single number, text or truth value")
    if holder not in _read_later(type(thing)) and attribute not in COUNTS | {"mem_per_worker"}:
        raise Refused(full + " is read only while the config is loaded, so setting it afterwards changes nothing")


def _types(thing, attribute):
    """The scalar types that the constructor takes there, else that of what stands there now."""
    for ancestor in type(thing).__mro__:
        init = inspect.unwrap(vars(ancestor).get("__init__", ancestor))
        hint = None
        with contextlib.suppress(Exception):  # a site's own class may name types that are not there
            hint = typing.get_type_hints(init).get(attribute)
        if hint is not None:
            found = {one for one in (typing.get_args(hint) or (hint,)) if one in WORDS}
            if found:
                return found
    now = type(getattr(thing, _holder(thing, attribute)))
    return {int, float, str} if now is type(None) else {now}


def _holder(thing, attribute):
    """The attribute that holds a parameter, if it can be set."""
    for name in (attribute, "_" + attribute):
        if name in getattr(thing, "__dict__", {}):
            return name
        descriptor = inspect.getattr_static(type(thing), name, None)
        if isinstance(descriptor, property) and descriptor.fset is not None:
            return name
    return None


def _set(thing, attribute, value):
    holder = _holder(thing, attribute)
    if holder is None:
        raise Refused(attribute + " cannot be set")
    setattr(thing, holder, value)


def _read_later(cls, seen={}):  # noqa: B006 (kept between calls, once a class)
    """The attributes that anything reads once the config is loaded: the class's own methods, and Parsl as it starts."""
    if cls not in seen:
        found = set()
        for ancestor in cls.__mro__:
            found |= _attributes_read({name: made for name, made in vars(ancestor).items() if name != "__init__"})
        for name, module in list(sys.modules.items()):
            if name.startswith(("parsl.jobs.", "parsl.dataflow.")):
                found |= _attributes_read(vars(module))
        seen[cls] = found
    return seen[cls]


def _attributes_read(namespace):
    found = set()
    waiting = []
    for made in namespace.values():
        if inspect.isclass(made) and made.__module__ == namespace.get("__name__"):
            found |= _attributes_read(dict(vars(made), __name__=None))
        function = getattr(made, "fget", None) or getattr(made, "__func__", None) or made
        if inspect.isfunction(function):
            waiting.append(inspect.unwrap(function).__code__)
    while waiting:
        code = waiting.pop()
        found.update(one.argval for one in dis.get_instructions(code) if one.opname in ("LOAD_ATTR", "LOAD_METHOD"))
        waiting += [inner for inner in code.co_consts if inspect.iscode(inner)]
    return found


def _count_workers(executor):
    """HTEX tells its strategy how many workers a node has by a figure that it makes once, while it is constructed."""
    if not hasattr(executor, "_workers_per_node"):
        return
    attributes = vars(executor)
    most = attributes.get("max_workers_per_node", attributes.get("max_workers")) or math.inf
    slots = [most]
    provider = executor.provider
    memory, cores = getattr(provider, "mem_per_node", None), getattr(provider, "cores_per_node", None)
    if memory is not None and executor.mem_per_worker:
        slots.append(math.floor(memory / executor.mem_per_worker))
    if cores is not None:
        slots.append(math.floor(cores / executor.cores_per_worker))
    if executor.available_accelerators:
        slots.append(len(executor.available_accelerators))
    executor._workers_per_node = 1 if min(slots) == math.inf else min(slots)
