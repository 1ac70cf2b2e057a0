"""Sides against one another: what differs, by how much, and how sure that is; and changes along a history. Pure."""
