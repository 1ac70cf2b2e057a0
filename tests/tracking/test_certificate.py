"""What a person reads when the server's certificate is one that nobody here trusts."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from perfdb.errors import TrackingError
from perfdb.tracking.door import connect, import_mlflow, words_for
from perfdb.tracking.target import Target


class Quiet(ThreadingHTTPServer):
    """Without a traceback of each client that hangs up."""

    def handle_error(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Silence."""


def self_signed(folder: Path, name: str) -> Path:
    """A certificate for `name` and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(who, who, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    file = folder / "certificate.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return self_signed(tmp_path, "localhost")


@pytest.fixture
def port(certificate: Path) -> Iterator[int]:
    """Where a server speaks TLS with it."""
    with Quiet(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def told_of(uri: str, folder: Path) -> str:
    target = Target(uri, str(folder), str(folder))
    import_mlflow(target, timeout_s=10, retries=0)
    client = connect(target, wait_s=1)
    with pytest.raises(TrackingError) as told, words_for(target):
        client.get_experiment_by_name("throughput")
    return str(told.value)


def test_a_certificate_of_an_unknown_authority_is_told_with_the_variable_to_set(port: int, tmp_path: Path) -> None:
    told = told_of(f"https://localhost:{port}", tmp_path)
    assert "is not trusted here (self-signed certificate). " in told
    assert "MLFLOW_TRACKING_SERVER_CERT_PATH=FILE" in told


def test_a_certificate_of_another_name_is_told_by_that(
    port: int, certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(certificate))
    assert "is not valid for '127.0.0.1'" in told_of(f"https://127.0.0.1:{port}", tmp_path)
