"""The query language: from text to a tree. What the names and values mean is for `conditions.py` to find out. Pure."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from perfdb.errors import UsageError

if TYPE_CHECKING:
    from lark import Lark, Token

LONGEST_QUERY = 10_000
MOST_PARENTHESES = 100

# Which word is a name and which a value follows from where it stands, so neither needs quotes unless it has odd signs.
GRAMMAR = r"""
?start: either
?either: both (_OR both)*                       -> any_of
?both: negated (_AND negated)*                  -> all_of
?negated: _NOT negated                          -> negation
        | "(" either ")"
        | test
?test: name COMPARED value                      -> comparison
     | name _IN "(" value ("," value)* ")"      -> among
     | name _NOT _IN "(" value ("," value)* ")" -> not_among
     | name _LIKE value                         -> like
     | name _NOT _LIKE value                    -> not_like
     | name _IS _NULL                           -> missing
     | name _IS _NOT _NULL                      -> present
name: NAME | QUOTED_NAME
value: WORD | TEXT

COMPARED: /<=|>=|==|!=|<>|=|<|>/
_OR.2: /or(?![\w.\-])/i
_AND.2: /and(?![\w.\-])/i
_NOT.2: /not(?![\w.\-])/i
_IN.2: /in(?![\w.\-])/i
_LIKE.2: /like(?![\w.\-])/i
_IS.2: /is(?![\w.\-])/i
_NULL.2: /null(?![\w.\-])/i
NAME: /[^\W\d][\w.\-\/:\[\]%]*/
QUOTED_NAME: /`[^`]+`/
WORD: /[^\s()',"`=<>!]+/
TEXT: /'(?:[^']|'')*'|"(?:[^"]|"")*"/
%ignore /\s+/
"""
_EXPECTED = {
    "NAME": "a name",
    "COMPARED": "a comparison (== != < <= > >=, in, like, is null)",
    "WORD": "a value",
    "_NULL": "`null` or `not null`",
    "_AND": "`and`",
    "_OR": "`or`",
    "LPAR": "`(`",
    "COMMA": "`,`",
    "RPAR": "`)`",
    "$END": "the end of the query",
}


@dataclass(frozen=True)
class Literal:
    """A value as it was typed. In quotes it is text, whatever it looks like."""

    text: str
    quoted: bool = False


@dataclass(frozen=True)
class Comparison:
    """`name operator value`; the operator is one of == != < <= > >=."""

    name: str
    operator: str
    value: Literal


@dataclass(frozen=True)
class Among:
    """`name in (value, …)`."""

    name: str
    values: tuple[Literal, ...]


@dataclass(frozen=True)
class Like:
    """`name like pattern`: `%` stands for any text, `_` for any one sign."""

    name: str
    pattern: str


@dataclass(frozen=True)
class Missing:
    """`name is null`: the record has no such value."""

    name: str


@dataclass(frozen=True)
class Not:
    """`not …`."""

    inner: Node


@dataclass(frozen=True)
class AllOf:
    """`… and …`."""

    items: tuple[Node, ...]


@dataclass(frozen=True)
class AnyOf:
    """`… or …`."""

    items: tuple[Node, ...]


Node = Comparison | Among | Like | Missing | Not | AllOf | AnyOf


def parse_query(text: str) -> Node:
    """The tree of a query.

    Raises:
        UsageError: it is none; the message points at the place.
    """
    from lark import UnexpectedInput

    if len(text) > LONGEST_QUERY or text.count("(") > MOST_PARENTHESES:
        raise UsageError(
            f"the query is too long: at most {LONGEST_QUERY} characters and {MOST_PARENTHESES} parentheses are read."
        )
    try:
        tree: Node = _parser().parse(text)  # type: ignore[assignment]
    except UnexpectedInput as error:
        _point_at(text, error)
    return tree


@functools.cache
def _parser() -> Lark:
    from lark import Lark, Transformer, v_args

    @v_args(inline=True)
    class Builder(Transformer[Any, Node]):
        """From the grammar's rules to the nodes above."""

        def name(self, token: Token) -> str:
            return token[1:-1] if token.type == "QUOTED_NAME" else str(token)

        def value(self, token: Token) -> Literal:
            if token.type == "WORD":
                return Literal(str(token))
            quote = token[0]
            return Literal(token[1:-1].replace(quote * 2, quote), quoted=True)

        def any_of(self, *items: Node) -> Node:
            return AnyOf(items) if len(items) > 1 else items[0]

        def all_of(self, *items: Node) -> Node:
            return AllOf(items) if len(items) > 1 else items[0]

        def negation(self, inner: Node) -> Node:
            return inner.inner if isinstance(inner, Not) else Not(inner)

        def comparison(self, name: str, operator: str, value: Literal) -> Node:
            return Comparison(name, {"=": "==", "<>": "!="}.get(operator, str(operator)), value)

        def among(self, name: str, *values: Literal) -> Node:
            return Among(name, values)

        def not_among(self, name: str, *values: Literal) -> Node:
            return Not(Among(name, values))

        def like(self, name: str, value: Literal) -> Node:
            return Like(name, value.text)

        def not_like(self, name: str, value: Literal) -> Node:
            return Not(Like(name, value.text))

        def missing(self, name: str) -> Node:
            return Missing(name)

        def present(self, name: str) -> Node:
            return Not(Missing(name))

    # The nodes are made while it parses: no tree is walked, so that no nesting can exhaust the stack.
    return Lark(GRAMMAR, parser="lalr", transformer=Builder())


def _point_at(text: str, error: Any) -> NoReturn:
    """The fault, with a sign under the place."""
    place = len(text) if error.pos_in_stream is None or error.pos_in_stream < 0 else error.pos_in_stream
    if getattr(getattr(error, "token", None), "type", "") == "$END":
        place = len(text)
    # What may stand there by the rules of the place alone; `accepts` also knows what is open around it.
    wanted = set(getattr(error, "accepts", None) or getattr(error, "allowed", None) or ())
    names = [words for terminal, words in _EXPECTED.items() if terminal in wanted] or ["something else"]
    start = max(0, place - 50)
    shown = re.sub(r"\s", " ", text[start : place + 30])
    raise UsageError(
        f"the query cannot be read here:\n  {shown}\n  {' ' * (place - start)}^ expected {' or '.join(names)}. "
        "Numbers stand without a unit; a value with blanks or signs goes in quotes, a name with them in backticks: "
        "`tag.my tag` == 'so and so'."
    ) from None
