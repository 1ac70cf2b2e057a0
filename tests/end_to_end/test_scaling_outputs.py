"""Files that a scaling run gives besides its record, where they can't be written."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.end_to_end.conftest import Home

ASKED = ("--mode", "get", "-n", "1", "--wait", "0.1", "--reps", "1", "--no-server", "--json", "--output-dir", "out")


@contextmanager
def serving(on_get: Callable[[], None]) -> Iterator[str]:
    """A service that does something when it is asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            on_get()
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def test_a_record_is_printed_though_its_other_files_cannot_be_written(home: Home) -> None:
    def take_the_folder_away() -> None:
        (home.root / "out").rmdir()
        (home.root / "out").touch()

    with serving(take_the_folder_away) as url:
        done = home.perfdb("run", "scaling", url, *ASKED)

    assert done.returncode == 1
    assert "the run's own files could not be written" in done.stderr
    (kept,) = home.records()
    assert json.loads(done.stdout)["record_id"] == kept["record_id"]
    (home.root / "out").unlink()
    assert home.perfdb("sync", "--no-mlflow").returncode == 0
    assert (home.root / "out" / "summary.csv").exists()


def test_a_link_that_leads_nowhere_stands_in_the_way_before_anything_is_measured(home: Home) -> None:
    (home.root / "out").mkdir()
    (home.root / "out" / "log.md").symlink_to("nowhere")
    asked = []
    with serving(lambda: asked.append(1)) as url:
        done = home.perfdb("run", "scaling", url, *ASKED)
    assert (done.returncode, asked, home.records()) == (2, [], [])
    assert "holds log.md" in done.stderr
