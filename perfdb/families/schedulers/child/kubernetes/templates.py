"""Templates of manifests: values in which `{job}`, `{nodes}` and the like stand for what a job has. Nothing is evaluated. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

# What may stand in a template of an arm's objects, and of a job's.
OF_AN_ARM = frozenset({"run", "namespace", "image", "scheduler", "cluster_nodes"})
OF_A_JOB = OF_AN_ARM | {"job", "nodes"}
MOST_VALUES = 2000
DEEPEST = 20
LONGEST = 20_000
_WORD = re.compile(r"\{([a-z_]{1,40})\}")
_NAME = re.compile(r"[a-z0-9.{}_-]{1,200}")
# Who deletes by names and kinds must not be made to delete other people's.
_FORBIDDEN_KINDS = frozenset({"Namespace", "Node", "CustomResourceDefinition", "PersistentVolume"})


def fill(template: Any, words: Mapping[str, str | int]) -> Any:
    """The template with its words put in; a text that is one word alone becomes that word's value, a number a number."""
    if isinstance(template, Mapping):
        return {key: fill(value, words) for key, value in template.items()}
    if isinstance(template, list | tuple):
        return [fill(value, words) for value in template]
    if not isinstance(template, str):
        return template
    alone = _WORD.fullmatch(template)
    if alone is not None:
        return words[alone[1]]
    return _WORD.sub(lambda found: str(words[found[1]]), template)


def texts(template: Mapping[str, str], words: Mapping[str, str | int]) -> dict[str, str]:
    """Labels or annotations, whose values are always text."""
    return {key: str(fill(value, words)) for key, value in template.items()}


def check(template: Any, known: Collection[str]) -> None:
    """Nothing, if it is a template that can be filled from those words.

    Raises:
        ValueError: it has another word, is too large or too deep, or holds what JSON can't.
    """
    left = [(template, 0)]
    seen = 0
    while left:
        value, depth = left.pop()
        seen += 1
        if seen > MOST_VALUES or depth > DEEPEST:
            raise ValueError(f"an object has more than {MOST_VALUES} values, or more than {DEEPEST} in one another")
        if isinstance(value, Mapping):
            left += [(part, depth + 1) for part in (*value.keys(), *value.values())]
        elif isinstance(value, list | tuple):
            left += [(part, depth + 1) for part in value]
        elif isinstance(value, str):
            if len(value) > LONGEST:
                raise ValueError(f"a text is longer than {LONGEST} characters")
            for word in _WORD.findall(value):
                if word not in known:
                    raise ValueError(f"{{{word}}} stands for nothing here; known are {', '.join(sorted(known))}")
        elif isinstance(value, int | float) and not -(2**63) <= value < 2**63:
            raise ValueError("a number can't be in a manifest")
        elif not isinstance(value, bool | int | float | None):
            raise ValueError(f"a value of the type {type(value).__name__} can't be in a manifest")


def check_object(template: Mapping[str, Any], known: Collection[str], begins: str) -> None:
    """Nothing, if it is a template of an object that perfdb can tell from other people's, and so delete.

    Args:
        template: The manifest.
        known: The words that it may have.
        begins: How the object's name must begin, so that no other run and nobody else has it.

    Raises:
        ValueError: it is none.
    """
    check(template, known)
    metadata = template.get("metadata")
    if not all(isinstance(template.get(key), str) and template[key] for key in ("apiVersion", "kind")):
        raise ValueError("an object needs an apiVersion and a kind")
    if template["kind"] in _FORBIDDEN_KINDS:
        raise ValueError(f"objects of the kind {template['kind']} are a cluster's, and not made for a run")
    if not isinstance(metadata, Mapping) or not isinstance(metadata.get("name"), str):
        raise ValueError("an object needs a name: metadata = {name = …}")
    name = metadata["name"]
    if not name.startswith(begins) or not _NAME.fullmatch(name):
        raise ValueError(f"the name {name[:80]!r} does not begin with {begins}, by which perfdb knows its own objects")
    if "generateName" in metadata or metadata.get("namespace", "{namespace}") != "{namespace}":
        raise ValueError(f"{name[:80]} may stand in the run's own namespace alone, `{{namespace}}`")
    labels = [metadata.get(key, {}) for key in ("labels", "annotations")]
    if not all(isinstance(one, Mapping) for one in labels) or any(
        str(key).startswith("perfdb") for one in labels for key in one
    ):
        raise ValueError("labels and annotations are tables, and names that begin with perfdb say whose an object is")
    if "ownerReferences" in metadata or "finalizers" in metadata:
        raise ValueError(f"{name[:80]} may have neither owners nor finalizers: it could not be deleted")
