"""All records into MLflow: what is there already is told by one listing, what is missing is sent."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from perfdb.errors import PerfdbError, RecordError, TrackingError
from perfdb.record import Record
from perfdb.registry.remarks import NO_REMARKS, Remarks
from perfdb.tracking.bulk import send_batch
from perfdb.tracking.door import words_for
from perfdb.tracking.mapping import COMPLETE, MIRROR_TAG
from perfdb.tracking.mirror import MirrorResult, SyncItem, SyncStep, mirror_record, tagged
from perfdb.tracking.seen import SeenRun, settled
from perfdb.tracking.target import Target

# One lock and one commit for so many; others that wait for the lock wait about half a second.
BATCH = 50
# Two failures in a row mean that MLflow is down, not that a record is odd: a thousand records must not wait for it.
FAILURES_IN_A_ROW = 2


def sync(
    client: Any,
    target: Target,
    items: Sequence[SyncItem],
    read: Callable[[str], Record],
    said: Mapping[str, Remarks],
    *,
    wait_s: float,
) -> Iterator[SyncStep]:
    """Send what is missing, one step a record.

    Args:
        read: Gives the `Record` in a folder; called only for those that must be sent.
        said: What is said about records, by id.
        wait_s: Seconds to wait, for each record or batch, for other processes of ours that write.
    """
    listings: dict[str, dict[str, list[SeenRun]]] = {}
    failures = 0
    for start in range(0, len(items), BATCH):
        batch = items[start : start + BATCH]
        steps: dict[str, SyncStep] = {}
        if target.database is not None:
            with contextlib.suppress(TrackingError):  # what can't be done together may be done apart, or says why not
                steps = send_batch(client, target, batch, read, said, wait_s=wait_s)
        for item in batch:
            try:
                step = steps.get(item.record_id) or _sent(client, target, item, read, said, listings, wait_s)
                failures = 0
            except RecordError as error:
                step = SyncStep(item.record_id, None, str(error))
            except PerfdbError as error:
                failures += 1
                step = SyncStep(item.record_id, None, str(error))
            yield step
            if failures == FAILURES_IN_A_ROW:
                return


def _sent(
    client: Any,
    target: Target,
    item: SyncItem,
    read: Callable[[str], Record],
    said: Mapping[str, Remarks],
    listings: dict[str, dict[str, list[SeenRun]]],
    wait_s: float,
) -> SyncStep:
    remarks = said.get(item.record_id, NO_REMARKS)
    if target.database is None:
        if item.experiment not in listings:
            listings[item.experiment] = _complete(client, target, item.experiment)
        if known := settled(listings[item.experiment].get(item.record_id, ()), remarks):
            return SyncStep(item.record_id, MirrorResult(known.run_id, known.experiment_id, "unchanged"))
    record, folder = read(item.folder), Path(item.folder)
    result = mirror_record(client, target, record, folder, wait_s=wait_s, run_id=item.run_id, remarks=remarks)
    return SyncStep(item.record_id, result)


def _complete(client: Any, target: Target, experiment: str) -> dict[str, list[SeenRun]]:
    """The runs of an experiment that are whole in MLflow, by record id."""
    found: dict[str, list[SeenRun]] = {}
    with words_for(target):
        known = client.get_experiment_by_name(experiment)
        if known is not None and known.lifecycle_stage == "active":
            for run in map(SeenRun.of, tagged(client, known.experiment_id, MIRROR_TAG, COMPLETE)):
                found.setdefault(run.record_id, []).append(run)
    return found
