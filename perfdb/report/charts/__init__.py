"""Charts: pure functions that give Vega-Lite documents, the script that draws them on a page, and files for a paper."""

from perfdb.report.charts.bundle import VEGALITE, bundle
from perfdb.report.charts.ecdf import Samples, ecdf
from perfdb.report.charts.history import history
from perfdb.report.charts.ratios import ratios
from perfdb.report.charts.scaling import Place, scaling
from perfdb.report.charts.spec import Spec
from perfdb.report.charts.stages import Staircase, stages
from perfdb.report.charts.theme import DARK, LIGHT
from perfdb.report.charts.values import Group, iterations, repetitions

__all__ = [
    "DARK",
    "LIGHT",
    "VEGALITE",
    "Group",
    "Place",
    "Samples",
    "Spec",
    "Staircase",
    "bundle",
    "ecdf",
    "history",
    "iterations",
    "ratios",
    "repetitions",
    "scaling",
    "stages",
]
