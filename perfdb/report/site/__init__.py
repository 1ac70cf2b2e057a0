"""A static site made of records: whole pages, no server, no network. See `perfdb.report.site.hooks` for its marks."""

from perfdb.report.site.build import Built, build_site

__all__ = ["Built", "build_site"]
