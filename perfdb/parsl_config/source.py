"""A config's source without its secrets, line for line; a line that holds none stays as it is, byte for byte.

Python's own parser finds the string literals that belong to a telling name, be they short, split or part of an
f-string; the redactor then does the rest, comments included.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator

from perfdb.parsl_config.params import ENVIRONMENTS, EVERYBODYS_ADDRESS, distinctive
from perfdb.redaction import SECRET, Redactor, account_parameter, names_a_secret, only_markers

_LITERAL = re.compile(r"([A-Za-z]*)(\"\"\"|'''|\"|')")
_FIELD = re.compile(r"\{\{|\}\}|(\{[^{}]*\})")
_SHORTEST_PART = 4
_SHORTEST_WORD = 6
Place = tuple[int, int]


def literals(source: str) -> Iterator[str]:
    """The values of string literals that belong to a name which says secret."""
    for node, sure in _telling(_parsed(source)):
        for text in _texts(node):
            if sure or distinctive(text):
                yield text


def redact(source: str, secrets: tuple[str, ...], redactor: Redactor) -> str:
    """The source, masked; `redactor` knows the secrets and the identity."""
    tree = _parsed(source)
    ranges = [_range(node) for node, _ in _telling(tree)]
    ranges += [_range(node) for node in _parts(tree, secrets)]
    return redactor.text(_mask(source, ranges) if ranges else source)


def _parsed(source: str) -> ast.AST:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # Another Python's syntax, or none: the redactor's rules on lines remain.
        return ast.Module(body=[], type_ignores=[])


def _telling(tree: ast.AST) -> Iterator[tuple[ast.expr, bool]]:
    """String literals to mask, and whether their name says secret outright."""
    named = [pair for node in ast.walk(tree) for pair in _named(node)]
    # `account=MY_GROUP`: then what MY_GROUP is set to tells as much.
    passed_on = {value.id: name for name, value in named if isinstance(value, ast.Name) and _tells(name)}
    for name, value in named:
        telling = name if _tells(name) else passed_on.get(name)
        if telling is None:
            continue
        for literal in _literals(value):
            if not (isinstance(literal, ast.Constant) and literal.value in EVERYBODYS_ADDRESS):
                yield literal, names_a_secret(telling)


def _tells(name: str) -> bool:
    return names_a_secret(name) or account_parameter(name) or name in ENVIRONMENTS


def _named(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Names and the expressions that they are given, in every way Python has."""
    if isinstance(node, ast.Assign):
        yield from ((_name(target), node.value) for target in node.targets)
    elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr) and node.value:
        yield _name(node.target), node.value
    elif isinstance(node, ast.keyword):
        yield node.arg or "", node.value
    elif isinstance(node, ast.Dict):
        yield from ((_name(key), value) for key, value in zip(node.keys, node.values, strict=True) if key)
    elif isinstance(node, ast.Call) and node.args:
        # setdefault("TOKEN", "x"), getenv("TOKEN", "x"), and --token, x in a list of arguments.
        yield from ((_name(node.args[0]), value) for value in node.args[1:])
    elif isinstance(node, ast.Compare):
        yield from ((_name(node.left), value) for value in node.comparators)
    elif isinstance(node, ast.arguments):
        positional = [*node.posonlyargs, *node.args]
        given = zip(positional[len(positional) - len(node.defaults) :], node.defaults, strict=True)
        yield from ((argument.arg, value) for argument, value in given)
        keyword_only = zip(node.kwonlyargs, node.kw_defaults, strict=True)
        yield from ((argument.arg, value) for argument, value in keyword_only if value)


def _name(target: ast.expr | None) -> str:
    match target:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Constant(value=str(name)):
            return name
        case ast.Subscript(slice=key):
            return _name(key)
    return ""


def _literals(value: ast.expr) -> Iterator[ast.expr]:
    """String literals in an expression, but for the keys and the names of variables that it looks up."""
    match value:
        case ast.Constant(value=str() | bytes()) | ast.JoinedStr():
            yield value
        case ast.Subscript(value=inner):
            yield from _literals(inner)
        case ast.Call(func=ast.Name(id="getenv") | ast.Attribute(attr="getenv" | "get"), args=[_, *rest]):
            yield from (literal for argument in rest for literal in _literals(argument))
        case ast.Dict(values=values):
            yield from (literal for item in values for literal in _literals(item))
        case _:
            inner_ones = (child for child in ast.iter_child_nodes(value) if isinstance(child, ast.expr | ast.keyword))
            for child in inner_ones:
                yield from _literals(child.value if isinstance(child, ast.keyword) else child)


def _parts(tree: ast.AST, secrets: tuple[str, ...]) -> Iterator[ast.expr]:
    """Literals that a secret was put together from."""
    whole = "\n".join(secrets)
    built_with = {
        id(literal)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.BinOp | ast.JoinedStr)
        for literal in ast.iter_child_nodes(node)
    }
    for node in ast.walk(tree):
        literal = node if isinstance(node, ast.Constant | ast.JoinedStr) else None
        if literal is None:
            continue
        # A word that is passed as it stands, such as a label, is in a secret by chance only.
        word = _SHORTEST_WORD if isinstance(literal, ast.JoinedStr) or id(literal) in built_with else sys.maxsize
        if any(
            text in whole and len(text) >= (_SHORTEST_PART if distinctive(text) else word) for text in _texts(literal)
        ):
            yield literal


def _texts(node: ast.expr) -> Iterator[str]:
    values = node.values if isinstance(node, ast.JoinedStr) else [node]
    for value in values:
        if isinstance(value, ast.Constant) and isinstance(value.value, str | bytes) and value.value:
            yield value.value if isinstance(value.value, str) else value.value.decode("utf-8", "replace")


def _range(node: ast.expr) -> tuple[Place, Place]:
    return (node.lineno, node.col_offset), (node.end_lineno or node.lineno, node.end_col_offset or 0)


def _mask(source: str, ranges: list[tuple[Place, Place]]) -> str:
    """Empty each string token that lies in a range, keeping quotes, prefixes, fields of f-strings and lines."""
    lines = source.split("\n")
    edits: list[tuple[Place, Place, str]] = []
    for token in _tokens(source):
        is_part = tokenize.tok_name[token.type] == "FSTRING_MIDDLE"
        if token.type != tokenize.STRING and not is_part:
            continue
        # The parser counts bytes, the tokenizer characters.
        start, end = (
            (row, len(lines[row - 1][:column].encode()) if row <= len(lines) else 0)
            for row, column in (token.start, token.end)
        )
        if any(first <= start and end <= last for first, last in ranges):
            edits.append((token.start, token.end, _masked_part(token.string) if is_part else _emptied(token.string)))
    for start, end, text in reversed(edits):
        head, tail = lines[start[0] - 1][: start[1]], lines[end[0] - 1][end[1] :]
        lines[start[0] - 1 : end[0]] = (head + text + tail).split("\n")
    return "\n".join(lines)


def _tokens(source: str) -> list[tokenize.TokenInfo]:
    try:
        return list(tokenize.generate_tokens(io.StringIO(source, newline="\n").readline))
    except (tokenize.TokenError, SyntaxError):
        # The parser took what the tokenizer will not: the redactor knows the literals' values all the same.
        return []


def _emptied(literal: str) -> str:
    match = _LITERAL.match(literal)
    assert match is not None, "a string token begins with its prefix and quote"
    inside = literal[match.end() : -len(match[2])]
    if "f" not in match[1].lower():
        return match[0] + _masked_part(inside) + match[2]
    kept = [field[1] for field in _FIELD.finditer(inside) if field[1]]
    pieces = re.split("|".join(map(re.escape, kept)), inside) if kept else [inside]
    if any(sign in piece for piece in pieces for sign in "{}"):
        return match[0] + _masked_part(inside) + match[2]  # fields within fields: all of it goes
    masked = [_masked_part(piece) for piece in pieces]
    joined = "".join(piece + field for piece, field in zip(masked, [*kept, ""], strict=True))
    return match[0] + joined + match[2]


def _masked_part(text: str) -> str:
    """Each line that says something becomes a marker, its indentation kept."""
    return "\n".join(
        line if only_markers(line) else line[: len(line) - len(line.lstrip())] + SECRET for line in text.split("\n")
    )
