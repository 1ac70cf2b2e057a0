"""What a job's history means: who said that a resize was applied, and what was promised to the job when. Pure."""


def by_job(kind, chain):
    """Whether the job said so itself. One that did not answer, or too late, was resized without a word of it.

    Args:
        chain: The events of that resize by their kinds.
    """
    if kind == "acknowledged":
        return True
    if kind != "applied" or "acknowledged" not in chain or "overdue" in chain:
        return False
    return chain["acknowledged"].ns <= chain["applied"].ns


def steps(found, events):
    """(ns, CPUs promised to it from then on): what it gives back counts until it is free, what it gets from the decision on."""
    if found.allocated_ns is None:
        return
    held = next((event.cpus_to for event in events if event.kind == "allocated"), None) or found.cpus
    yield found.allocated_ns, held
    for event in events:
        if event.cpus_from is None or event.cpus_to is None:
            continue
        if found.ended_ns is not None and event.ns >= found.ended_ns:
            break  # decided before anybody had heard of the end
        grows = event.cpus_to > event.cpus_from
        now = held
        if event.kind in (("decided",) if grows else ("applied", "overdue")):
            now = event.cpus_to
        elif event.kind == "withdrawn" and grows:
            now = event.cpus_from
        if now != held:
            held = now
            yield event.ns, held
    if found.ended_ns is not None:
        yield found.ended_ns, 0
