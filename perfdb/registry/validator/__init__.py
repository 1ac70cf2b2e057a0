"""Whether records that somebody sends can be let in. Nothing in them is imported, executed, fetched or unpickled."""
