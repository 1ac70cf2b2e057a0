"""A table of all records, to search: a cache that can be thrown away."""

from perfdb.registry.index.columns import Column, Kind
from perfdb.registry.index.export import check_target, export, write_csv
from perfdb.registry.index.found import Cell, Found, spelled
from perfdb.registry.index.index import Index

__all__ = ["Cell", "Column", "Found", "Index", "Kind", "check_target", "export", "spelled", "write_csv"]
