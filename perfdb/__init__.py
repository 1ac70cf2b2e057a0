"""perfdb: how fast is Parsl here, how sure are we, and what changed?"""

__version__ = "0.1.0"
