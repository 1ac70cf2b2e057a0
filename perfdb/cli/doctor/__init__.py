"""`perfdb doctor`: what is here, what is missing, what it is needed for, what to type."""

from perfdb.cli.doctor.command import doctor

__all__ = ["doctor"]
