"""Whether a service is fit to be measured: each thing that would spoil a run, looked at before it."""

from perfdb.services.preflight.checks import Asked, look
from perfdb.services.preflight.finding import Finding

__all__ = ["Asked", "Finding", "look"]
