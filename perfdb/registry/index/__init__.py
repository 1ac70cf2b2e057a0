"""A table of all records, to search: a cache that can be thrown away."""
