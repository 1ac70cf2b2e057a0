"""The experiments, registered in plain sight."""

from perfdb.families import autoscale, elastic, scaling, schedulers, throughput
from perfdb.families.base import Children, ChildRun, Family, Lab, Measurements, Outputs, Program, Setup, Shown, Subject

FAMILIES = {
    family.name: family
    for family in (throughput.FAMILY, autoscale.FAMILY, scaling.FAMILY, elastic.FAMILY, schedulers.FAMILY)
}

__all__ = [
    "FAMILIES",
    "ChildRun",
    "Children",
    "Family",
    "Lab",
    "Measurements",
    "Outputs",
    "Program",
    "Setup",
    "Shown",
    "Subject",
]
