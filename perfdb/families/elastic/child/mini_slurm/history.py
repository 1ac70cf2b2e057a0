"""What the scheduler's store and the jobs themselves say afterwards, told line by line."""

import json
import os

from steps import by_job, steps
from telling import answer

_MILESTONES = ("submitted", "allocated", "started")
_STAGES = ("decided", "written", "signalled", "acknowledged", "applied", "overdue", "withdrawn")


def tell(reader, ids, told_of):
    """All of it, of the jobs that were submitted.

    Args:
        ids: The scheduler's number of each job of the mix.
        told_of: From a job of the mix to the file that it wrote.
    """
    for number, id in sorted(ids.items()):
        found = reader.job(id)
        if found is None:
            continue
        events = reader.events(id)
        _milestones(number, found, events)
        _resizes(number, events)
        for ns, cpus in steps(found, events):
            answer("allocation", job=number, ns=ns, cpus=cpus)
        _own_words(number, told_of(number))


def _milestones(number, found, events):
    for event in events:
        if event.kind in _MILESTONES:
            more = {"cpus": event.cpus_to} if event.kind == "allocated" and event.cpus_to is not None else {}
            answer("job", job=number, what=event.kind, ns=event.ns, **more)
    if found.ended_ns is not None:
        answer("job", job=number, what="ended", ns=found.ended_ns, state=found.state.value, cpu_s=found.cpu_s)


def _resizes(number, events):
    chains = {}
    for event in events:
        if event.kind in _STAGES:
            chains.setdefault(event.generation, {}).setdefault(event.kind, event)
    for generation, chain in sorted(chains.items()):
        if "decided" not in chain:
            continue
        both = {"cpus_from": chain["decided"].cpus_from, "cpus_to": chain["decided"].cpus_to}
        for kind, event in chain.items():
            more = {"by": "job"} if by_job(kind, chain) else {}
            words = event.detail.split()
            if kind == "signalled" and words and words[0].isdigit():
                more["processes"] = int(words[0])
            answer("resize", job=number, generation=generation, what=kind, ns=event.ns, **both, **more)


def _own_words(number, path):
    """What the job wrote down; a line that is cut off is as good as none."""
    if not os.path.exists(path):
        return
    with open(path, encoding="utf-8") as file:
        for line in file:
            try:
                said = json.loads(line)
            except ValueError:
                continue
            if "generation" in said:
                answer("cost", job=number, **said)
            else:
                answer("work", job=number, **said)
