"""How much a service bears, and what more hosts add to it: from cells to ceilings, factors, a law and tables. Pure."""
