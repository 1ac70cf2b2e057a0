"""After the merge: the contributor's own checkout, where the records lie that the pull brings."""

from __future__ import annotations

import re
from pathlib import Path

from tests.contribute.world import Clone, World, git

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "contribute.md"


def test_what_the_how_to_says_brings_in_what_others_added_and_keeps_what_is_not_merged_yet(
    world: World, clone: Clone
) -> None:
    clone.measure(1, 2)
    branch = clone.contribute().branch
    clone.git("push", "--quiet", "origin", branch)
    world.merge(branch)
    other = world.clone("other")
    other.measure(3, machine="cluster")
    branch = other.contribute().branch
    other.git("push", "--quiet", "origin", branch)
    world.merge(branch)
    clone.measure(4)
    (clone.path / "README.md").write_text("an edit that is not committed\n")
    before = {path: path.read_bytes() for path in clone.registry.rglob("*") if path.is_file()}
    # Alone, git refuses.
    clone.git("pull", "--quiet", "--ff-only", check=False)
    assert clone.git("rev-parse", "HEAD") != git(world.remote, "rev-parse", "main")
    said = re.search(r"^(git add mlruns) && (git pull --ff-only)$", HOW_TO.read_text(encoding="utf-8"), re.MULTILINE)
    assert said is not None
    for command in said.groups():
        clone.git(*command.split()[1:])
    assert clone.git("rev-parse", "HEAD") == git(world.remote, "rev-parse", "main")
    assert {path: path.read_bytes() for path in before} == before
    assert (clone.path / "README.md").read_text() == "an edit that is not committed\n"
    assert len(list(clone.registry.glob("throughput/*/*/*"))) == 4
    assert [record.run_name for record in clone.contribute().records] == ["run 4"]
