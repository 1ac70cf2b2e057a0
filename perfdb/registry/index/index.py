"""The index: brought up to date by the names of folders, searched by DuckDB."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from perfdb.errors import RecordError, RegistryError, UsageError
from perfdb.registry.durable import cannot_write
from perfdb.registry.index.arrays import integers
from perfdb.registry.index.columns import Catalogue, Column, added
from perfdb.registry.index.conditions import Condition
from perfdb.registry.index.found import Found
from perfdb.registry.index.language import AllOf, Comparison, Literal, Node, parse_query
from perfdb.registry.index.listing import is_record_name, is_text, record_parents
from perfdb.registry.index.parts import Part, merged
from perfdb.registry.index.reading import MANY, Batch, Progress, read_batch, read_batches
from perfdb.registry.index.shelf import Shelf
from perfdb.registry.index.view import RETRACTED, View
from perfdb.registry.remarks import remarks_of

if TYPE_CHECKING:
    import duckdb

NEWEST_FIRST = "-started_at"
# Parts that are no larger than twice what is added are merged with it: their number grows with the logarithm of the
# rows, and a row is written anew as rarely. Below so many rows a part is not worth a file.
SMALL_ROWS = 256
WAIT_S = 5.0
BUILDING_S = 600.0


class Index:
    """All records of a registry as one table. A cache: deleted, damaged or of another version, it is made anew.

    Args:
        root: The registry.
        state_path: `.perfdb`; where it can't be written, the index lives in memory only.
        progress: Told how many of how many records have been read, when there are many.
    """

    def __init__(self, root: Path, state_path: Path, progress: Progress | None = None) -> None:
        self.root = root
        self._shelf = Shelf(root, state_path)
        self._progress = progress or _silent
        self._parts: list[Part] = []
        self._memory_only: str | None = None
        self._faults: tuple[RecordError, ...] = ()
        self._view: View | None = None

    def search(
        self,
        query: str | None = None,
        *,
        where: Mapping[str, str] | None = None,
        sort: Sequence[str] = (),
        limit: int | None = None,
        retracted: bool = False,
    ) -> Found:
        """Find records.

        Args:
            query: In the query language; None finds all.
            where: And these columns have these texts.
            sort: Names of columns, the first before the others; `-` before a name turns its order around. What lacks a
                value comes last. Equal ones, and all when nothing is asked, come newest first.
            limit: At most so many; None for all.
            retracted: Withdrawn ones too; so it is anyway if the query itself asks for `retracted`.

        Raises:
            UsageError: the query can't be read, or asks for what no record has.
        """
        node = _asked(query, where or {})
        view = self._refreshed()
        condition = Condition(node, view.catalogue, datetime.now(UTC))
        # Who asks whether a record is withdrawn means the withdrawn ones too.
        retracted = retracted or RETRACTED in condition.names
        order = ", ".join(_order(condition, view, name) for name in (*sort, NEWEST_FIRST, "record_id"))
        kept = "TRUE"
        if not retracted:
            kept = f"NOT {condition.stored(view.catalogue.columns['retracted'], 'b')}"
        connection = self._connection
        connection.register("records", view.table(condition.names))
        try:
            where_sql = f"FROM records WHERE {kept} AND {condition.sql}"
            sql = f"SELECT row {where_sql} ORDER BY {order}, row"
            if limit is None:
                places = connection.execute(sql, condition.parameters).fetchnumpy()["row"]
                total = len(places)
            else:
                places = connection.execute(f"{sql} LIMIT ?", [*condition.parameters, limit]).fetchnumpy()["row"]
                ((total,),) = connection.execute(f"SELECT count(*) {where_sql}", condition.parameters).fetchall()
        finally:
            connection.unregister("records")
        return Found(view, integers(places), total, self._faults, self._memory_only, retracted)

    def known_columns(self) -> list[str]:
        """The columns' names as the index knew them last, at once."""
        return list(Catalogue(added(part.counts for part in self._shelf.load())).columns)

    @functools.cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        import duckdb

        # A query reads what we hand over and nothing else: no file, no network, no extension.
        return duckdb.connect(":memory:", config={"enable_external_access": "false", "threads": "2"})

    def _refreshed(self) -> View:
        if self._memory_only is None:
            self._parts = self._shelf.load()
        self._update()
        remarks = remarks_of(self.root)
        retracted = frozenset(record_id for record_id, said in remarks.items() if said.retraction)
        tags = {record_id: given for record_id, said in remarks.items() if (given := said.tags)}
        view = self._view
        if view is None or list(view.parts) != self._parts or (view.retracted, view.tags) != (retracted, tags):
            view = self._view = View(list(self._parts), retracted, tags)
        return view

    def _update(self) -> None:
        """Take in what came, drop what went."""
        new, gone = self._difference()
        self._faults = ()
        # Read before the lock is asked for: most often there is nothing to write, or one record.
        read = new if len(new) < MANY else []
        batch = read_batch(self.root, read)
        if len(new) < MANY and batch.part is None and not gone:
            self._faults = batch.faults
            return
        try:
            if self._memory_only is None:
                with self._shelf.lock(WAIT_S if len(new) < MANY else BUILDING_S):
                    self._parts = self._shelf.load()
                    self._take_in(batch, set(read))
                return
        except OSError as error:
            self._memory_only = str(cannot_write(self._shelf.path, error, "The index was made in memory instead."))
        except RegistryError as error:
            self._memory_only = f"{error} The index was made in memory instead."
        self._take_in(batch, set(read))

    def _take_in(self, batch: Batch, read: set[str]) -> None:
        """A batch, and whatever else is new by now: others write too, and somebody may have deleted the index."""
        new, gone = self._difference()
        if gone:
            self._drop(gone)
        if batch.part is not None:
            wanted = set(new)
            self._add(
                batch.part if wanted.issuperset(batch.part.folders) else merged([batch.part], wanted.__contains__)
            )
        faults = list(batch.faults)
        rest = [folder for folder in new if folder not in read]
        for other in read_batches(self.root, rest, self._progress):
            self._add(other.part)
            faults += other.faults
        self._faults = tuple(faults)

    def _difference(self) -> tuple[list[str], set[str]]:
        """Folders that the parts lack, in order, and those in the parts that are no more."""
        there = record_parents(self.root)
        new = []
        gone = set()
        known: dict[str, set[str]] = {}
        for part in self._parts:
            for parent, ids in part.ids.items():
                known.setdefault(parent, set()).update(ids)
        for parent, names in there.items():
            have = known.pop(parent, set())
            new += [f"{parent}/{name}" for name in sorted(names - have) if is_record_name(name)]
            gone |= {f"{parent}/{name}" for name in have - names}
        for parent, have in known.items():
            gone |= {f"{parent}/{name}" for name in have}
        return new, gone

    def _drop(self, gone: set[str]) -> None:
        kept = []
        for part in self._parts:
            left: Part | None = part if gone.isdisjoint(part.folders) else merged([part], lambda f: f not in gone)
            if left is not None:
                kept.append(left)
        self._replace(kept)

    def _add(self, part: Part | None) -> None:
        if part is None:
            return
        added, others = [part], []
        for other in sorted(self._parts, key=lambda p: len(p.folders)):
            if len(other.folders) <= max(SMALL_ROWS, 2 * sum(len(p.folders) for p in added)):
                added.append(other)
            else:
                others.append(other)
        whole = merged(added) if len(added) > 1 else part
        self._replace([*others, *([whole] if whole else [])])

    def _replace(self, parts: list[Part]) -> None:
        if self._memory_only is None:
            self._shelf.keep(parts)
        self._parts = parts


def _silent(_done: int, _total: int) -> None:
    pass


def _asked(query: str | None, where: Mapping[str, str]) -> Node | None:
    items: list[Node] = [Comparison(name, "==", Literal(text, quoted=True)) for name, text in where.items()]
    if query is not None and query.strip():
        items.append(parse_query(query))
    if not is_text("".join([query or "", *where.values()])):
        raise UsageError("the query holds bytes that are no text (UTF-8): type it anew.")
    return AllOf(tuple(items)) if items else None


def _order(condition: Condition, view: View, name: str) -> str:
    column: Column = view.catalogue.resolve(name.removeprefix("-"))
    way = "DESC" if name.startswith("-") else "ASC"
    return ", ".join(f"{condition.stored(column, part)} {way} NULLS LAST" for part in column.kind.parts)


__all__ = ["Index"]
