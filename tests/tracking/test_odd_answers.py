"""What a person reads when something else than an MLflow answers, by MLflow's own client."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from perfdb.errors import TrackingError
from perfdb.tracking.door import connect, import_mlflow, words_for
from perfdb.tracking.target import Target


class Other(BaseHTTPRequestHandler):
    """A web server of another kind: pages, and none where it is asked."""

    def do_GET(self) -> None:
        code = next((code for code in (200, 404, 502) if f"/{code}" in self.path), 400)
        self.send_response(code)
        self.end_headers()
        self.wfile.write(b"<!DOCTYPE html><title>A page</title>")

    def log_message(self, *_: object) -> None:
        """Silence."""


@pytest.fixture(scope="module")
def other() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (404, "not as MLflow does (status 404). Mend MLFLOW_TRACKING_URI"),
        (200, "no JSON"),
        (502, "ask whoever runs it"),
    ],
)
def test_a_page_is_not_quoted_and_what_to_mend_is_told(code: int, words: str, other: str, tmp_path: Path) -> None:
    target = Target(f"{other}/{code}", str(tmp_path), str(tmp_path))
    import_mlflow(target, timeout_s=10, retries=0)
    client = connect(target, wait_s=1)
    with pytest.raises(TrackingError) as told, words_for(target):
        client.get_experiment_by_name("throughput")
    assert words in str(told.value)
    assert "<title>" not in str(told.value)
