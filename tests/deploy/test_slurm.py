"""deploy/slurm/README.md and docs/how-to/ agree with the configs they tell people to run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / "parsl-configs"
PAGES = [
    ROOT / "deploy" / "slurm" / "README.md",
    ROOT / "deploy" / "kubernetes" / "README.md",
    ROOT / "docs" / "how-to" / "clusters.md",
    ROOT / "docs" / "how-to" / "configs.md",
    CONFIGS / "README.md",
]


def site_values(name: str) -> dict[str, str]:
    source = (CONFIGS / f"{name}.py").read_text(encoding="utf-8")
    return dict(re.findall(r'os\.environ\.get\("(PERFDB_SITE_\w+)", "([^"]*)"\)', source))


def test_the_slurm_page_lists_each_variable_of_slurm_hopper_with_its_default():
    page = (ROOT / "deploy" / "slurm" / "README.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `(PERFDB_SITE_\w+)` \| (\S+) \|", page, re.MULTILINE))
    assert {name: "" if shown == "empty" else shown.strip("`") for name, shown in listed.items()} == site_values(
        "slurm_hopper"
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_names_only_variables_that_some_config_reads(page: Path):
    known = {variable for config in CONFIGS.glob("*.py") for variable in site_values(config.stem)}
    known.add("PERFDB_SITE_NAME")  # the placeholder in the rule itself
    assert set(re.findall(r"PERFDB_SITE_\w+", page.read_text(encoding="utf-8"))) <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_pages_relative_links_lead_somewhere(page: Path):
    for target in re.findall(r"\]\((?!https?://)([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_runs_only_configs_that_are_shipped(page: Path):
    own = {"slurm_anvil"}  # the reader's copy in configs.md
    run = set(re.findall(r"^.*run-parsl-perf\.py (\w+)", page.read_text(encoding="utf-8"), re.MULTILINE))
    assert run - own - {"NAME"} <= {config.stem for config in CONFIGS.glob("*.py")}
