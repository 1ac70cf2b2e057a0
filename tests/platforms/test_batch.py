"""The other batch systems, by stand-ins."""

from __future__ import annotations

import pytest

from perfdb.platforms import PLATFORMS, Job, platforms_for
from perfdb.platforms.base import ask

OTHERS = [
    ("PBSProProvider", "qdel"),
    ("TorqueProvider", "qdel"),
    ("GridEngineProvider", "qdel"),
    ("LSFProvider", "bkill"),
    ("CondorProvider", "condor_rm"),
]


@pytest.mark.parametrize(("provider", "command"), OTHERS)
def test_each_has_its_command(stand_ins, run_dir, provider, command):
    (platform,) = platforms_for((provider,))
    assert platform.jobs_of(run_dir) == ("4711",)
    assert platform.times_of(("4711",)) == (Job(job_id="4711"),)
    assert platform.version() is None
    assert platform.over(("4711",))
    assert platform.nodes_up() is None
    assert platform.cancel(("4711",)) == ("4711",)  # there is no such command yet
    stand_ins.add(command, code=35)  # as qdel refuses a job that is over
    assert platform.cancel(("4711",)) == ()
    assert stand_ins.asked == [f"{command} 4711"]


def test_every_platform_knows_providers_of_its_own():
    names = [name for platform in PLATFORMS for name in platform.provider_classes]
    assert len(names) == len(set(names))


def test_a_command_that_is_not_there_ends_with_127(stand_ins):
    assert ask(["no-such-command"]) == (127, "")
