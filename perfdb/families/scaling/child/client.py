"""One client on one core: its share of a plan, from the load's beginning to its account. See `plan.py` and `clients/answers.py`."""

import contextlib
import gc
import os
import platform
import resource
import signal
import socket
import time

import account
import engine
import protocols
import shapes
import telling

PROBE_S = 5.0
# A signal that comes before the beginning is noticed this soon.
LOOK_S = 0.2
# Descriptors that are not connections.
OTHER_FILES = 64


def run(plan, client, key):
    """Load the service, and tell; returns the exit code."""
    target = protocols.Target(plan["url"])
    try:
        family, address = _address(target)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "no name of a host"
        telling.answer("end", client=client, outcome="failed", trouble="the service's name was not found: " + why)
        return 1
    _raise_file_limit()
    shape = shapes.of_plan(plan, client)
    behind = time.time() - plan["begin_at"]
    begin = time.perf_counter() - behind
    parent = os.getppid()

    def on_progress(load, now):
        over = len(load.sessions)
        telling.answer("progress", client=client, at_s=now, begun=load.begun, over=over, failed=load.failed)
        if os.getppid() != parent:  # whoever started us is gone, and nobody would end us
            load.stopping = True

    load = engine.Engine(
        (family, address),
        protocols.PROTOCOLS[plan["protocol"]](target, plan["wait_s"]),
        shape,
        plan["wait_s"],
        plan["timeout_s"],
        begin,
        on_progress,
    )

    def stop(number, frame):
        load.stopping = True

    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, stop)
    _tell_begin(plan, client, behind)
    gc.collect()
    gc.freeze()
    gc.disable()
    waited = _waited_for_cpu_s()
    while not load.stopping and time.perf_counter() < begin:
        time.sleep(min(LOOK_S, max(0.0, begin - time.perf_counter())))
    load.run()
    gc.enable()
    if waited is not None:
        waited = _waited_for_cpu_s() - waited
    told = account.Account(load, shape, client, plan["clients"], key, target)
    told.tell_counts()
    told.tell_load(waited)
    told.tell_histograms()
    told.tell_in_flight()
    told.tell_rows()
    given = {kind: count for kind, count in telling.GIVEN.items() if kind != "progress"}
    telling.answer("end", client=client, outcome="stopped" if load.stopping else "all", trouble=None, given=given)
    return 0


def _address(target):
    """Where to connect to: of several addresses the first that answers, for a service may listen on one of them only."""
    found = [(one[0], one[4]) for one in socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)]
    for family, address in found if len(found) > 1 else []:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.settimeout(PROBE_S)
            if probe.connect_ex(address) == 0:
                return family, address
    return found[0]


def _raise_file_limit():
    """As many open files as we may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _tell_begin(plan, client, behind_s):
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    telling.answer(
        "begin",
        client=client,
        clients=plan["clients"],
        begin_at=plan["begin_at"],
        late_s=max(0.0, behind_s),
        python=platform.python_version(),
        files=max(0, soft - OTHER_FILES),
        ports=_ports(),
        cpus=len(os.sched_getaffinity(0)),
        clock_resolution_s=time.get_clock_info("perf_counter").resolution,
    )


def _ports():
    """How many connections to one address the kernel has ports for, None where it does not say."""
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
            low, high = map(int, file.read().split())
            return high - low + 1
    except (OSError, ValueError):
        return None


def _waited_for_cpu_s():
    """How long we could have run and did not, so far: others had the core."""
    try:
        with open("/proc/self/schedstat", encoding="ascii") as file:
            return int(file.read().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return None
