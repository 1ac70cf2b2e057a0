"""A report as a comment on a pull request. Strangers' text in it draws, links and mentions nothing. Pure."""

from __future__ import annotations

from perfdb.registry.validator.report import Report
from perfdb.units import counted

_MOST_ROWS = 50
_LONGEST = 300
_MOST_NAMED = 20


def as_markdown(report: Report) -> str:
    """The verdict, what was looked at, and a table of what is wrong."""
    total = len(report.faults) + report.left_out
    counts = f"{counted(len(report.records), 'record')}, {counted(report.files, 'file')}"
    verdict = "nothing is wrong" if report.ok else counted(total, "fault")
    lines = [f"### `perfdb validate`: {verdict}", "", f"{counts} looked at."]
    if report.contains_code:
        lines += [
            "",
            "**This request adds a Parsl config, which is code.** Its syntax was checked; it was not run. Read it.",
        ]
    if report.withdrawn:
        ids = ", ".join(_code(record_id) for record_id in report.withdrawn[:_MOST_NAMED])
        more = f" and {len(report.withdrawn) - _MOST_NAMED} more" if len(report.withdrawn) > _MOST_NAMED else ""
        lines += [
            "",
            f"**This request withdraws {counted(len(report.withdrawn), 'record')}**, whoever measured them: {ids}{more}. "
            "Lists and comparisons will leave them out. Read the reasons.",
        ]
    if report.resets:
        lines += [
            "",
            f"**{counted(report.resets, 'annotation')} of this request resets a baseline**: what was measured before will no "
            "longer be compared with. Read the reasons.",
        ]
    if report.ok:
        lines += ["", "The files are whole and agree with one another. That the numbers were measured is not verified."]
    else:
        lines += ["", "| file | what is wrong | what to do |", "|---|---|---|"]
        for fault in report.faults[:_MOST_ROWS]:
            where = _code(f"{fault.file}: {fault.field}" if fault.field else fault.file)
            lines.append(f"| {where} | {_code(fault.problem)} | {_code(fault.remedy)} |")
        if total > _MOST_ROWS:
            lines += ["", f"and {total - _MOST_ROWS} more; `perfdb validate --base BASE` lists them."]
    return "\n".join(lines) + "\n"


def _code(text: str) -> str:
    """A code span in a table's cell: the one place where a forge acts on nothing."""
    flat = " ".join("".join(c if c.isprintable() else " " for c in text).split()) or "-"
    cut = flat if len(flat) <= _LONGEST else f"{flat[:_LONGEST]}…"
    return f"`{cut.replace('`', chr(39)).replace('|', '¦')}`"
