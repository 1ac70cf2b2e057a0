"""Judge records that strangers made: what they hold is data, and nothing in it is run, fetched, followed or unpickled."""

from perfdb.registry.validator.markdown import as_markdown
from perfdb.registry.validator.report import Fault, Report, Rules
from perfdb.registry.validator.validate import validate_change, validate_folder

__all__ = ["Fault", "Report", "Rules", "as_markdown", "validate_change", "validate_folder"]
