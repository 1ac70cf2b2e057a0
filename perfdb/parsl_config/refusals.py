"""Why a config could not be described: one paragraph each, ending with what to do."""

import re
import signal
from pathlib import Path

from perfdb.parsl_config.answer import Refused
from perfdb.parsl_config.loading import Loaded

_EXTRAS = {
    "kubernetes": "kubernetes",
    "boto3": "aws",
    "azure": "azure",
    "msrestazure": "azure",
    "googleapiclient": "google-cloud",
    "sqlalchemy": "monitoring",
    "globus_sdk": "globus-transfer",
    "globus-compute-sdk": "globus-compute",
    "globus_compute_sdk": "globus-compute",
    "radical": "radical-pilot",
    "proxystore": "proxystore",
}
_MOST_NAMES = 100
_RAISE = re.compile(r"raise\b")
# Parsl's SlurmProvider asks Slurm when it is made.
_SLURM = re.compile(r"\b(sacct|squeue|sbatch|scontrol|sinfo)\b")
_CONDA = {"work_queue": "ndcctools", "taskvine": "ndcctools", "ndcctools": "ndcctools", "flux": "flux-core"}


def refusal(refused: Refused, shown: str, python: Path, lines: list[str]) -> str:
    """The paragraph for a config that the child could not describe; not yet redacted.

    Args:
        refused: The child's answer.
        shown: The config's path as the user knows it.
        python: The Python it was loaded under.
        lines: The config's redacted source.
    """
    said = one_line(f"{refused.type}: {refused.message}").rstrip(": ")
    where = f"{shown}, line {refused.line}" if refused.line else shown
    line = lines[refused.line - 1].strip() if 0 < refused.line <= len(lines) else ""
    quoted = f": {one_line(line)}" if line else ""
    match refused.error:
        case "parsl_missing":
            return (
                f"Parsl is not installed for {python}, so {shown} can't be loaded. Install it with "
                f"`{python} -m pip install parsl`, or name another Python with --python."
            )
        case "parsl_broken":
            return (
                f"Parsl can't be imported by {python} ({said}), so {shown} can't be loaded. Try "
                f'`{python} -c "import parsl.config"` and repair that Python, or name another with --python.'
            )
        case "syntax":
            return (
                f"{where} is not valid Python ({one_line(refused.message)}){quoted}. Correct that line and try again."
            )
        case "missing":
            return f"{where} needs a package that is not installed for {python} ({said}){quoted}. {_install(refused)}"
        case "exit":
            return (
                f"{where} ends the program while it is imported ({said}){quoted}. A config only sets up `config`: "
                f"remove the call that exits."
            )
        case "labels":
            return (
                f"two executors in {shown} have the same label ({one_line(refused.message)}), and Parsl tells them "
                f'apart by it. Give each a label of its own, such as HighThroughputExecutor(label="htex_2").'
            )
        case "override":
            known = ", ".join(one_line(name, 100) for name in refused.names[:_MOST_NAMES])
            return (
                f"{one_line(refused.message)}. Of {shown} these can be set: blocks, workers, nodes, cores_per_worker; "
                f"{known}."
            )
        case "no_config":
            return (
                f"{shown} sets neither `config` nor `fresh_config`. End it with "
                f"`config = parsl.config.Config(executors=[...])`."
            )
        case "not_a_config":
            return (
                f"what {shown} calls its config is a {one_line(refused.found)}, not a parsl.config.Config. Set "
                f"`config = Config(executors=[...])`, or have `fresh_config()` return one."
            )
        case "too_large":
            return f"{shown} sets {one_line(refused.message)}, more than can be recorded. Set fewer or shorter lists."
        case "exception":
            # What a config raises itself says what is wrong; the line that does would only say it again.
            source = "" if _RAISE.match(line) else quoted
            if _SLURM.search(said):
                return (
                    f"{where} fails while it is loaded{source} ({said}). See whether Slurm answers with `perfdb doctor slurm`; "
                    "else correct the config, and try again."
                )
            return f"{where} fails while it is loaded{source} ({said}). Correct it and try again."


def failure(loaded: Loaded, shown: str, timeout_s: float) -> str:
    """The paragraph for a child that gave no answer one could read; not yet redacted."""
    if loaded.timed_out:
        return (
            f"{shown} was not loaded within {timeout_s:g} s, and was stopped. Look for a loop, or for a wait on the "
            f"network, that runs when it is imported; or allow more time with --timeout."
        )
    if loaded.too_long:
        return f"{shown} sets more than can be recorded: its description passes 4 MB. Set fewer or shorter values."
    last = one_line(loaded.complaint.strip().rpartition("\n")[2])
    said = f" Its last words: {last}" if last else ""
    code = loaded.returncode or 0
    how = f"status {code}" if code >= 0 else _signal(-code)
    if loaded.answer or not code:
        return (
            f"{shown} was loaded, but what came back was not understood (it ended with {how}). A config must neither "
            f"end its process nor write to other programs' files; remove what does.{said}"
        )
    return (
        f"loading {shown} ended its Python process with {how}. Try `python {shown}` to see it happen, and remove what "
        f"ends it.{said}"
    )


def one_line(text: str, longest: int = 500) -> str:
    """Foreign text as part of a paragraph: no line ends, no control characters, not too long."""
    plain = "".join(sign if sign.isprintable() else " " for sign in text[: 4 * longest])
    joined = " ".join(plain.split())
    return joined if len(joined) <= longest else f"{joined[:longest]}…"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _install(refused: Refused) -> str:
    named = [one_line(module, 100) for module in refused.modules]
    for module in named:
        first = module.split(".")[0]
        if first in _EXTRAS:
            return f"Install it with `pip install 'parsl[{_EXTRAS[first]}]'`."
        if first in _CONDA:
            return f"It comes with `conda install -c conda-forge {_CONDA[first]}`."
    if named:
        return f"Install what provides `{named[0]}`, perhaps with `pip install {named[0].split('.')[0]}`."
    return "Install it and try again."
