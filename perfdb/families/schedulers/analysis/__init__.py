"""Schedulers' results, others' included: one table of them, and what keeps them from being compared."""
