"""A real time stamping authority on loopback: certificates of its own, `openssl ts` behind a small web server.

The path of a request says what goes wrong: `/granted` is as it should be.
"""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NEEDS_OPENSSL = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed here")
NOW = dt.datetime.now(dt.UTC)
YEAR = dt.timedelta(days=365)
CONFIG = """
[tsa]
serial = serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1, millisecs:500
ess_cert_id_alg = sha256
"""


def name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


class Certified:
    """A key with a certificate, by itself or by another one; a twin has the key and the number of another."""

    def __init__(
        self,
        common: str,
        by: Certified | None = None,
        purpose: x509.ObjectIdentifier | None = None,
        start: dt.datetime = NOW - YEAR,
        end: dt.datetime = NOW + 9 * YEAR,
        twin: Certified | None = None,
    ) -> None:
        self.key = twin.key if twin else rsa.generate_private_key(65537, 2048)
        serial = twin.certificate.serial_number if twin else x509.random_serial_number()
        issuer = by or self
        made = (
            x509.CertificateBuilder()
            .subject_name(name(common))
            .issuer_name(name(common) if by is None else by.certificate.subject)
            .public_key(self.key.public_key())
            .serial_number(serial)
            .not_valid_before(start)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=purpose is None, path_length=None), critical=True)
        )
        if purpose is not None:
            made = made.add_extension(x509.ExtendedKeyUsage([purpose]), critical=True)
        self.certificate = made.sign(issuer.key, hashes.SHA256())

    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def write(self, folder: Path, stem: str) -> None:
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        (folder / f"{stem}.pem").write_bytes(self.pem())
        (folder / f"{stem}.key").write_bytes(self.key.private_bytes(*form))


STAMPING = ExtendedKeyUsageOID.TIME_STAMPING


@dataclass
class Authority:
    """Its folder and address; `asked` counts what reached it."""

    folder: Path
    root: Certified
    other_root: Certified
    url: str = ""
    asked: list[str] = field(default_factory=list)

    def reply(self, query: bytes, *options: str, signer: str = "signer") -> bytes:
        """The answer of `openssl ts` to a query."""
        (self.folder / "query").write_bytes(query)
        files = ["-signer", f"{signer}.pem", "-inkey", f"{signer}.key", "-out", "answer"]
        command = ["openssl", "ts", "-reply", "-config", "tsa.cnf", "-section", "tsa", "-queryfile", "query"]
        done = subprocess.run([*command, *files, *options], cwd=self.folder, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return (self.folder / "answer").read_bytes()

    def query(self, digest: bytes) -> bytes:
        """A query over a SHA-256, as `openssl ts` writes it."""
        command = ["openssl", "ts", "-query", "-digest", digest.hex(), "-sha256", "-cert", "-out", "made"]
        subprocess.run(command, cwd=self.folder, capture_output=True, check=True)
        return (self.folder / "made").read_bytes()


Reply = Callable[[Authority, bytes], tuple[int, bytes]]
REPLIES: dict[str, Reply] = {
    "granted": lambda a, q: (200, a.reply(q)),
    "chain": lambda a, q: (200, a.reply(q, "-chain", "chain.pem", signer="deep")),
    "reversed": lambda a, q: (200, a.reply(q, "-chain", "reversed.pem", signer="deep")),
    "expired": lambda a, q: (200, a.reply(q, signer="expired")),
    "future": lambda a, q: (200, a.reply(q, signer="future")),
    "stranger": lambda a, q: (200, a.reply(q, signer="stranger")),
    "other-bytes": lambda a, q: (200, a.reply(a.query(bytes(32)))),
    "asked-before": lambda a, q: (200, a.reply(a.query(q[q.index(b"\x04\x20") + 2 :][:32]))),
    "refused": lambda a, q: (200, a.reply(b"no query at all")),
    "error": lambda a, q: (500, b"<h1>Internal Server Error</h1>"),
    "redirect": lambda a, q: (302, b""),
    "garbage": lambda a, q: (200, b"<html>Sign in to the hotel's network</html>"),
    "empty": lambda a, q: (200, b""),
    "cut": lambda a, q: (200, a.reply(q)[:700]),
    "huge": lambda a, q: (200, b"\0" * 50_000_000),
}


@contextmanager
def authority(folder: Path) -> Iterator[Authority]:
    """Start one, and stop it again."""
    made = _made(folder)

    class Asked(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            way = self.path.strip("/").partition("?")[0]
            made.asked.append(way)
            query = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["Content-Type"] == "application/timestamp-query"
            if way == "drip":
                return self.drip()
            if way == "hang-up":
                return self.connection.close()
            status, body = REPLIES[way](made, query)
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "file:///etc/passwd")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                self.wfile.write(body)
            except ConnectionError:
                self.close_connection = True  # who asked has had enough
            return None

        def drip(self) -> None:
            self.send_response(200)
            self.end_headers()
            try:
                for _ in range(100):
                    self.wfile.write(b"\0")
                    time.sleep(0.2)
            except ConnectionError:
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Asked)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _made(folder: Path) -> Authority:
    (folder / "tsa.cnf").write_text(CONFIG)
    (folder / "serial").write_text("01\n")
    root, other = Certified("Test Root"), Certified("Other Root")
    between = Certified("Test Between", by=root)
    signers = {
        "signer": Certified("Test Authority", by=root, purpose=STAMPING),
        "deep": Certified("Test Authority", by=between, purpose=STAMPING),
        "expired": Certified("Old Authority", by=root, purpose=STAMPING, end=NOW - YEAR / 2),
        "future": Certified("New Authority", by=root, purpose=STAMPING, start=NOW + YEAR),
        "stranger": Certified("Strange Authority", by=other, purpose=STAMPING),
    }
    for stem, signer in signers.items():
        signer.write(folder, stem)
    chain = [between.pem(), root.pem(), signers["signer"].pem()]
    (folder / "chain.pem").write_bytes(b"".join(chain))
    (folder / "reversed.pem").write_bytes(b"".join(reversed(chain)))
    (folder / "root.pem").write_bytes(root.pem())
    return Authority(folder, root, other)
