"""A config's syntax tree, made where a parser that crashes harms nobody. Standard library alone; nothing is run.

Source on standard input. One line of JSON on standard output: whether it is Python, whether it sets a config, its strings.
"""

import ast
import json
import resource
import signal
import sys

MIB = 1024 * 1024


def describe(source):
    """What there is to say about it."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        return {"wrong": f"line {error.lineno or 1}: {error.msg}"}
    except (ValueError, RecursionError, MemoryError) as error:
        return {"wrong": f"no Python that anybody would write ({type(error).__name__})"}
    names = set()
    for statement in tree.body:
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            names.add(statement.name)
        targets = getattr(statement, "targets", None) or [getattr(statement, "target", None)]
        names.update(target.id for target in targets if isinstance(target, ast.Name))
    strings = [
        [node.lineno, node.value if isinstance(node.value, str) else node.value.decode("latin-1")]
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes))
    ]
    return {"sets_config": bool(names & {"config", "fresh_config"}), "strings": strings}


def main():
    """One source, one answer."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (256 * MIB, 256 * MIB))
    signal.setitimer(signal.ITIMER_PROF, 0.9)
    json.dump(describe(sys.stdin.buffer.read()), sys.stdout)


if __name__ == "__main__":
    main()
