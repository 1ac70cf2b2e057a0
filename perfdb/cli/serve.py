"""`perfdb serve benchmark|lean|multi|balancer`: a service to measure, in the foreground until stopped."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from perfdb.services.addresses import Address
    from perfdb.services.envoy import Balancer
    from perfdb.services.running.service import Service

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)

_LAST_BACKEND = 250
_ENDED = "ended, and all that it started"

Host = Annotated[str, typer.Option("--host", help="Address to listen on; others reach only what is not 127.x.")]
Port = Annotated[int, typer.Option("--port", envvar="PORT", min=1, max=65535, help="TCP port.")]
AdminPort = Annotated[int, typer.Option("--admin-port", min=1, max=65535, help="Port of Envoy's admin.")]
Workers = Annotated[int, typer.Option("--workers", envvar="WORKERS", min=1, max=1024, help="Processes of each server.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print where the service is as one JSON document once it is up.")]


@app.command()
def benchmark(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Workers = 1,
    max_concurrent_envs: Annotated[
        int,
        typer.Option(envvar="MAX_CONCURRENT_ENVS", min=1, max=1_000_000, help="Sessions at once, of each process."),
    ] = 100,
) -> None:
    """Serve the benchmark environment on openenv-core.

    Until it is stopped. A session's step waits as long as it is told to, and answers with pid, session and host. It needs perfdb[scaling].

    \b
    Examples:
      perfdb serve benchmark --workers 2
      curl -s localhost:8000/health
    """
    from perfdb.cli.terminal import Voice
    from perfdb.services.addresses import Address
    from perfdb.services.benchmark.options import Options
    from perfdb.services.benchmark.server import check, command

    options = Options(host, port, workers, max_concurrent_envs)
    _warn_of_strangers(Address(host, port))
    check(options)
    Voice().say(f"the benchmark environment starts at {Address(host, port).url}; end it with Ctrl-C")
    argv = command(options)
    os.execv(argv[0], argv)  # noqa: S606 (each of uvicorn's workers imports the main program again, which must be light)


@app.command()
def lean(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Workers = 1,
    max_concurrent_envs: Annotated[
        int | None,
        typer.Option(
            "--max-concurrent-envs",
            "--capacity",
            envvar="MAX_CONCURRENT_ENVS",
            min=1,
            max=1_000_000,
            help="Sessions at once, of each process; more are refused as openenv-core does.  [default: all that fit]",
        ),
    ] = None,
    delay_ms: Annotated[float, typer.Option(min=0, max=60_000, help="How late a delayed step is, in ms.")] = 0,
    delay_share: Annotated[float, typer.Option(min=0, max=1, help="Share of steps that are delayed.")] = 0,
    refuse_share: Annotated[
        float, typer.Option(min=0, max=1, help="Share of sessions and requests that get a 503.")
    ] = 0,
    seed: Annotated[int, typer.Option(help="Which ones: the same seed picks the same.")] = 0,
) -> None:
    """Serve the same protocol at next to no cost. It runs until stopped; what it can't hold, the client can't either.

    GET /stats counts sessions and steps in flight, with their peaks; POST /stats/reset begins anew.

    \b
    Examples:
      perfdb serve lean --delay-ms 200 --delay-share 0.01
      curl -s localhost:8000/stats
    """
    from perfdb.cli.terminal import Voice
    from perfdb.errors import UsageError
    from perfdb.services.addresses import Address
    from perfdb.services.lean.options import Options
    from perfdb.services.lean.server import serve

    if (delay_ms > 0) != (delay_share > 0):
        raise UsageError("--delay-ms and --delay-share go together: give both, or neither.")
    for name, share in (("--delay-share", delay_share), ("--refuse-share", refuse_share)):
        if share > 0 and not round(share * 10_000):
            raise UsageError(
                f"{name} {share:g} is none of ten thousand, which is as fine as it gets. Give 0.0001 or more."
            )
    address = Address(host, port)
    where = address.url
    voice = Voice()
    _warn_of_strangers(address)
    serve(
        Options(host, port, workers, max_concurrent_envs, delay_ms, delay_share, refuse_share, seed),
        ready=lambda: voice.say(f"the lean server listens at {where}; end it with Ctrl-C"),
    )


@app.command()
def multi(
    backends: Annotated[int, typer.Option(min=1, max=_LAST_BACKEND, help="How many, at 127.0.0.2 and on.")] = 3,
    port: Port = 8000,
    admin_port: AdminPort = 9901,
    is_lean: Annotated[bool, typer.Option("--lean", help="Lean servers instead of openenv-core's.")] = False,
    workers: Workers = 1,
    max_concurrent_envs: Annotated[
        int | None,
        typer.Option(
            envvar="MAX_CONCURRENT_ENVS",
            min=1,
            max=1_000_000,
            help="Sessions at once, of each process.  [default: 100; with --lean all that fit]",
        ),
    ] = None,
    restart_after: Annotated[
        float, typer.Option(min=0, max=3600, help="Seconds after which a backend that ended is started again.")
    ] = 5,
    as_json: AsJson = False,
) -> None:
    """Serve from several backends of this machine, behind Envoy. It runs until stopped, and needs perfdb[scaling].

    Envoy listens on 127.0.0.1. Writes openenv-connection.env and envoy-config-generated.yaml into the current folder.

    \b
    Examples:
      perfdb serve multi --backends 3
      source openenv-connection.env      # in another shell
      perfdb preflight $OPENENV_URL --expected-hosts $NUM_WORKERS
    """
    from perfdb.cli.terminal import Voice
    from perfdb.services.running.multi import Local, local

    options = Local(backends, port, admin_port, is_lean, workers, max_concurrent_envs, restart_after)
    _check(options.balancer)
    log = _log(options.balancer.listener)
    voice = Voice()
    voice.say(f"starting {backends} backend{'s' if backends > 1 else ''} and Envoy")
    with local(options, Path.cwd(), log, voice.say) as service:
        _watch(service, options.balancer, as_json)
    voice.say(_ENDED)


@app.command()
def balancer(
    backend: Annotated[
        list[str], typer.Option("--backend", help="HOST:PORT of a server that runs already; once for each.")
    ],
    host: Host = "127.0.0.1",
    port: Port = 8000,
    admin_port: AdminPort = 9901,
    as_json: AsJson = False,
) -> None:
    """Serve with Envoy alone, before backends elsewhere. It runs until stopped, and needs perfdb[scaling].

    Waits until all of them are healthy; for the rest as `multi`. Envoy's admin listens at HOST too, and whoever reaches it can
    end Envoy: keep it on a closed network.

    \b
    Examples:
      perfdb serve balancer --host node-1 --backend node-2:8000 --backend node-3:8000
    """
    from perfdb.cli.terminal import Voice
    from perfdb.errors import UsageError
    from perfdb.services.addresses import Address
    from perfdb.services.envoy import Balancer
    from perfdb.services.running.multi import balanced

    addresses = tuple(Address.parsed(text, 8000) for text in backend)
    if len(set(addresses)) < len(addresses):
        raise UsageError("a backend is named twice: give each --backend once.")
    described = Balancer(Address(host, port), Address(host, admin_port), addresses)
    _check(described)
    log = _log(described.listener)
    voice = Voice()
    voice.say(f"starting Envoy before {len(addresses)} backend{'s' if len(addresses) > 1 else ''}")
    with balanced(described, [], Path.cwd(), log, voice.say) as service:
        _watch(service, described, as_json)
    voice.say(_ENDED)


def _check(balancer: Balancer) -> None:
    """Refuse what Envoy could do but nobody can want."""
    from perfdb.errors import UsageError

    if balancer.listener == balancer.admin:
        raise UsageError(f"--port and --admin-port are both {balancer.admin.port}: give Envoy's admin another one.")
    if balancer.admin.is_every:
        raise UsageError(
            f"--host {balancer.admin.host} stands for every address of this machine, and whoever reaches Envoy's admin can end "
            "Envoy. Name one address, on a network that is closed to strangers."
        )


def _warn_of_strangers(address: Address) -> None:
    from perfdb.cli.terminal import Voice

    if address.is_every:
        Voice().warn(f"{address} stands for every address of this machine, and whoever reaches one can use the server")


def _watch(service: Service, balancer: Balancer, as_json: bool) -> None:
    """Say where it is; then tell what happens, until Ctrl-C or SIGTERM, which is how it is meant to end."""
    import sys

    from perfdb.cli.terminal import Voice, print_json
    from perfdb.services.connection import CONFIG_FILE, FILE

    with contextlib.suppress(KeyboardInterrupt):  # as soon as it was told to be up, it may be ended
        if as_json:
            print_json(_document(service, balancer))
        else:
            print(f"{balancer.listener.url} is up, before {len(balancer.backends)} backends")
            print(f"next, in another shell: source {FILE}")
        sys.stdout.flush()  # whoever started us waits for it
        Voice().say(f"wrote {FILE} and {CONFIG_FILE}; Envoy's admin is at {balancer.admin.url}; end it with Ctrl-C")
        service.watch()


def _document(service: Service, balancer: Balancer) -> dict[str, Any]:
    from perfdb.services.connection import CONFIG_FILE, FILE

    return {
        "url": balancer.listener.url,
        "admin": balancer.admin.url,
        "backends": [
            {"url": address.url, "host_url": str(address), "pid": service.pids.get(f"backend {address}")}
            for address in balancer.backends
        ],
        "envoy_pid": service.pids.get("envoy"),
        "connection": str(Path.cwd() / FILE),
        "envoy_config": str(Path.cwd() / CONFIG_FILE),
    }


def _log(listener: Address) -> Path:
    """Where the service's log belongs; an older one may lie there."""
    from perfdb.errors import ServiceError
    from perfdb.processes.state_folder import make_state_folder
    from perfdb.settings import load_settings

    state = load_settings().state_path
    folder = state / "serve"
    here = listener.host == "127.0.0.1"
    name = f"{listener.port}" if here else f"{listener.host}-{listener.port}"  # a folder that several nodes see
    try:
        make_state_folder(state)
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise ServiceError(
            f"{folder}, where the service's log goes, cannot be made: {error.strerror}. Set PERFDB_STATE_DIR to a folder that "
            "you may write to."
        ) from error
    return folder / f"{name}.jsonl"
