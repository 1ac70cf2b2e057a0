"""Task latencies: one task at a time, a chain of dependent tasks, a burst. Answers are JSON lines on standard output.

Standard library and Parsl alone, any Python since 3.8. All times are `time.perf_counter` of this process, in seconds.
"""

import json
import os
import sys
import time

SERIAL_TASKS = 200
CHAIN_TASKS = 100
BURST_TASKS = 200
# Slow platforms get fewer tasks instead of a longer wait.
LONGEST_MODE_S = 10.0
FEWEST_TASKS = 5

# The real standard output is for answers; whatever else prints goes to standard error.
ANSWERS = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)

import parsl

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "..", "parsl_config", "child"))
import user_config

del sys.path[0]


def answer(**fields):
    """Tell perfdb one thing."""
    print(json.dumps(fields), file=ANSWERS, flush=True)


@parsl.python_app
def nothing(after=None, parsl_resource_specification={}):  # noqa: B006 (Parsl reads this argument by name)
    """The smallest task; `after` makes it depend on another."""
    return 7


@parsl.python_app
def describe_worker(source, key, parsl_resource_specification={}):  # noqa: B006
    """The facts of the host that this runs on."""
    namespace = {}
    exec(source, namespace)  # our own facts.py: workers need no perfdb
    return namespace["facts"](key)


def watch(future, done, index):
    """Note the moment at which a result arrives."""
    future.add_done_callback(lambda _: done.__setitem__(index, time.perf_counter()))


def serial(resources):
    """One task at a time; from the submission to the result in hand."""
    begin = time.perf_counter()
    for index in range(SERIAL_TASKS):
        submitted = time.perf_counter()
        nothing(parsl_resource_specification=resources).result()
        returned = time.perf_counter()
        yield index, submitted - begin, returned - submitted
        if returned - begin > LONGEST_MODE_S and index + 1 >= FEWEST_TASKS:
            return


def together(count, chained, resources):
    """Submit `count` tasks at once; for a chain, a task's latency counts from its predecessor's result."""
    done = {}
    submitted = []
    futures = []
    begin = time.perf_counter()
    for index in range(count):
        submitted.append(time.perf_counter())
        before = futures[-1] if chained and futures else None
        futures.append(nothing(before, parsl_resource_specification=resources))
        watch(futures[-1], done, index)
    for future in futures:
        future.result()
    while len(done) < count:  # a callback runs just after the result is there
        time.sleep(0.001)
    for index in range(count):
        ready = max(submitted[index], done[index - 1]) if chained and index else submitted[index]
        yield index, submitted[index] - begin, max(0.0, done[index] - ready)


def affordable(count, latency_s):
    """As many tasks as fit the time, at the latency seen so far."""
    return max(FEWEST_TASKS, min(count, int(LONGEST_MODE_S / max(latency_s, 1e-6))))


def main():
    """Warm up, ask the workers who they are, measure three ways."""
    config = user_config.load()
    resources = eval(os.environ.get("PERFDB_RESOURCES", "{}"))
    with open(os.environ["PERFDB_FACTS"], encoding="utf-8") as file:
        source = file.read()
    parsl.load(config)
    try:
        nothing(parsl_resource_specification=resources).result()
        # More tasks than workers, so that with luck every node answers; each is told once.
        asked = [
            describe_worker(source, os.environ["PERFDB_HOST_KEY"], parsl_resource_specification=resources)
            for _ in range(16)
        ]
        workers = {json.dumps(future.result(), sort_keys=True) for future in asked}
        for worker in sorted(workers):
            answer(kind="worker", facts=json.loads(worker))
        samples = list(serial(resources))
        answer(kind="samples", mode="serial", rows=samples)
        typical = sorted(latency for _, _, latency in samples)[len(samples) // 2]
        answer(kind="samples", mode="chain", rows=list(together(affordable(CHAIN_TASKS, typical), True, resources)))
        answer(kind="samples", mode="burst", rows=list(together(affordable(BURST_TASKS, typical), False, resources)))
    finally:
        parsl.dfk().cleanup()
    answer(kind="end")


if __name__ == "__main__":
    main()
