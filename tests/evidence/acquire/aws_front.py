"""A real moto server as a process of its own, and a door before it that sees every request and can say no.

The door forwards to moto, writes down what was asked, and stands in where moto cannot answer: it serves the
packages whose links moto leads out of this machine, and answers of operations that a test gives it.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

MOTO = """
from werkzeug.serving import make_server
from moto.server import DomainDispatcherApplication, create_backend_app
server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
print(server.port, flush=True)
server.serve_forever()
"""
ACCOUNT = "111122223333"
KEYS = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "wJalrXUtnFEMI-EXAMPLEKEY"}
PASSED_ON = ("content-type", "x-amzn-requestid", "etag", "last-modified", "x-amzn-errortype")


@contextmanager
def moto_server() -> Iterator[int]:
    """A moto server on a free port of loopback."""
    process = subprocess.Popen(
        [sys.executable, "-c", MOTO],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "MOTO_ACCOUNT_ID": ACCOUNT},
    )
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@dataclass(frozen=True)
class Said:
    """An answer that the door gives itself."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)


@dataclass(frozen=True)
class Asked:
    """A request as it reached the door."""

    method: str
    path: str
    operation: str
    user_agent: str


Rule = Callable[[Asked, bytes], Said | None]


@dataclass
class Front:
    """The door: its address, what was asked, packages by SHA-256, and rules that answer in moto's place."""

    moto_port: int
    server: ThreadingHTTPServer
    asked: list[Asked] = field(default_factory=list)
    packages: dict[str, bytes] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def keep(self, content: bytes) -> bytes:
        """Serve a package; gives it back."""
        self.packages[hashlib.sha256(content).hexdigest()] = content
        return content


LAMBDA_PATHS = (
    (r"/\d{4}-\d\d-\d\d/functions/?", "ListFunctions"),
    (r"/\d{4}-\d\d-\d\d/functions/[^/]+", "GetFunction"),
    (r"/\d{4}-\d\d-\d\d/functions/[^/]+/policy", "GetPolicy"),
    (r"/\d{4}-\d\d-\d\d/functions/[^/]+/configuration", "GetFunctionConfiguration"),
)


def operation_of(method: str, path: str, target: str, body: bytes) -> str:
    """What a request asks for, as far as its protocol says; method and path otherwise."""
    if target:
        return target.rpartition(".")[2]
    if found := re.fullmatch(r"/service/\w+/operation/(\w+)", path):
        return found[1]
    if actions := parse_qs(body.decode("latin-1")).get("Action") if method == "POST" else None:
        return actions[0]
    plain = urlsplit(path).path
    if method == "GET":
        return next((name for pattern, name in LAMBDA_PATHS if re.fullmatch(pattern, plain)), f"GET {plain}")
    return f"{method} {plain}"


class _Door(BaseHTTPRequestHandler):
    front: Front
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in one piece: in two it waits 40 ms for the other side's acknowledgement

    def _all(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        target = self.headers.get("X-Amz-Target", "")
        operation = operation_of(self.command, self.path, target, body)
        asked = Asked(self.command, unquote(self.path), operation, self.headers.get("User-Agent", ""))
        self.front.asked.append(asked)
        if self.path.startswith("/code/"):
            content = self.front.packages.get(urlsplit(self.path).path.removeprefix("/code/"))
            said = Said(200, content, ()) if content is not None else Said(404, b"", ())
        else:
            ruled = (rule(asked, body) for rule in list(self.front.rules))
            said = next((one for one in ruled if one is not None), None) or self._forward(body)
        self.send_response(said.status)
        for name, value in said.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(said.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(said.body)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = _all  # noqa: N815  # names of http.server

    def _forward(self, body: bytes) -> Said:
        connection = http.client.HTTPConnection("127.0.0.1", self.front.moto_port, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
        connection.request(self.command, self.path, body, headers)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        kept = [
            (name, value)
            for name, value in response.getheaders()
            if name.lower() in PASSED_ON or name.lower().startswith("x-amz-")
        ]
        return Said(response.status, self._linked(content), tuple(kept))

    def _linked(self, content: bytes) -> bytes:
        """Links to packages lead here; each is signed anew, as those of AWS are."""
        if b'"Location"' not in content:
            return content
        answer = json.loads(content)
        for member, told in (("Code", answer.get("Configuration", {})), ("Content", answer.get("Content", {}))):
            if "CodeSha256" in told and member in answer:
                signature = os.urandom(8).hex()
                answer[member]["Location"] = (
                    f"{self.front.url}/code/{_hex(told['CodeSha256'])}?X-Amz-Signature={signature}"
                )
        return json.dumps(answer).encode()

    def log_message(self, *_: Any) -> None:
        """Nothing on stderr."""


def _hex(base64_digest: str) -> str:
    return base64.b64decode(base64_digest).hex()


@contextmanager
def front_door(moto_port: int) -> Iterator[Front]:
    """A door before a moto server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Door)
    front = Front(moto_port, server)
    server.RequestHandlerClass = type("Door", (_Door,), {"front": front})
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield front
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def door_to_moto() -> Iterator[Front]:
    """A door before a moto server of its own, and credentials that lead nowhere else."""
    with pytest.MonkeyPatch.context() as patch, moto_server() as port, front_door(port) as door:
        only_credentials(patch)
        yield door


def only_credentials(patch: pytest.MonkeyPatch) -> None:
    """The environment of AWS tools without anything of this machine."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        patch.delenv(name)
    patch.setenv("AWS_ACCESS_KEY_ID", KEYS["aws_access_key_id"])
    patch.setenv("AWS_SECRET_ACCESS_KEY", KEYS["aws_secret_access_key"])
    patch.setenv("AWS_CONFIG_FILE", os.devnull)
    patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
