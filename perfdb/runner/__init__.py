"""From a request to measurements, a record, the registry and MLflow."""

from perfdb.runner.recover import recover
from perfdb.runner.request import RunRequest
from perfdb.runner.run import Asked, Mirror, NotWritten, Outcome, run

__all__ = ["Asked", "Mirror", "NotWritten", "Outcome", "RunRequest", "recover", "run"]
