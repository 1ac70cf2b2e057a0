"""Every error that perfdb tells its user, and the exit code each one ends with.

    PerfdbError            1   told in one paragraph that ends with what to do
    ├── UsageError         2   the command line asks for something that cannot be
    │   └── UnlikeRunsError    runs were to be compared that differ in more than what is compared
    ├── SettingsError      1   a setting, a PERFDB_* variable or perfdb.toml is wrong
    ├── ConfigError        1   a Parsl config cannot be loaded
    ├── ParslInstallError  1   another Parsl could not be installed or found
    │   └── NoSuchParslError   what was asked for is none
    ├── RegistryError      1   the registry cannot be read or written
    ├── RecordError        1   a record is not what it claims to be
    │   └── NewerRecordError   a record was written by a newer perfdb
    ├── ClusterError       1   the pocket cluster can't be started, found or ended
    ├── ServiceError       1   a service under test can't be started, reached or understood
    ├── MiniSlurmError     1   mini-slurm can't do what it was asked to now
    ├── TrackingError      1   MLflow refused, is locked, down or too slow
    └── Interrupted      130   Ctrl-C, a closed terminal or a batch system's signal; says what is kept

A measurement that failed is no exception: it is a record with a status, and the command ends with
`EXIT_FAILED` or `EXIT_INVALID`. Anything that is not a PerfdbError is a bug and keeps its traceback.
"""

EXIT_DONE = 0
EXIT_ERROR = 1
EXIT_USAGE = 2
EXIT_FAILED = 3
EXIT_INVALID = 4
EXIT_FAULTS = 5
EXIT_MATCHED = 6
EXIT_INTERRUPTED = 130
# Of a measurement that came to its end, by its record's status.
STATUS_EXITS = {"ok": EXIT_DONE, "invalid": EXIT_INVALID, "failed": EXIT_FAILED, "timeout": EXIT_FAILED}


class PerfdbError(Exception):
    """What went wrong, where, and what to type next, in one paragraph."""

    exit_code = EXIT_ERROR


class UsageError(PerfdbError):
    """The command line asks for something that cannot be."""

    exit_code = EXIT_USAGE


class UnlikeRunsError(UsageError):
    """Runs were to be compared that differ in more than what is compared."""


class SettingsError(PerfdbError):
    """A setting, a PERFDB_* variable or perfdb.toml is wrong."""


class ConfigError(PerfdbError):
    """A Parsl config cannot be found, loaded or described."""


class ParslInstallError(PerfdbError):
    """The Parsl that was asked for could not be installed or found."""


class NoSuchParslError(ParslInstallError):
    """What was asked for is no release, no folder with a Parsl and no git reference: a slip, and nothing to keep."""


class RegistryError(PerfdbError):
    """The registry cannot be read or written."""


class RecordError(PerfdbError):
    """A record is not what it claims to be."""


class NewerRecordError(RecordError):
    """A record was written by a newer perfdb than this one: update perfdb."""


class Interrupted(PerfdbError):
    """The user, a closed terminal or a batch system ended perfdb; the message says what is kept."""

    exit_code = EXIT_INTERRUPTED


class ClusterError(PerfdbError):
    """The pocket cluster can't be started, found or ended."""


class ServiceError(PerfdbError):
    """A service under test can't be started, reached or understood."""


class MiniSlurmError(PerfdbError):
    """mini-slurm's daemon does not run, runs already, or can't read or write its state."""


class TrackingError(PerfdbError):
    """MLflow refused, is locked, down or too slow."""
