"""A collection of a real TAXII 2.1 server, medallion, on this machine: paging, moments, refusals."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.evidence.acquire.test_taxii import SECRET, indicator

from playbooks.case import new_case
from playbooks.errors import AllFailed
from playbooks.evidence.acquire.taxii import acquire_taxii
from playbooks.normalise import normalise

MEDALLION = shutil.which("medallion", path=str(Path(sys.executable).parent)) or shutil.which("medallion")
pytestmark = pytest.mark.skipif(MEDALLION is None, reason="medallion is not installed")
COLLECTION = "91a7b528-80eb-42ed-a74d-c6fbd5a26116"
OBJECTS = [indicator(n) for n in range(25)]
STIX = "application/stix+json;version=2.1"


def content() -> dict[str, Any]:
    manifest = [
        {
            "id": one["id"],
            "version": one["modified"],
            "media_type": STIX,
            "date_added": f"2026-03-10T00:{n:02d}:00.000000Z",
        }
        for n, one in enumerate(OBJECTS)
    ]
    collection = {"id": COLLECTION, "title": "ours", "can_read": True, "can_write": False, "media_types": [STIX]}
    information = {"title": "root", "versions": ["application/taxii+json;version=2.1"], "max_content_length": 1 << 20}
    root = {"information": information, "status": [], "collections": [collection | {"objects": OBJECTS}]}
    root["collections"][0]["manifest"] = manifest  # type: ignore[index]
    return {"/discovery": {"title": "ours", "default": "/api1/"}, "api1": root}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server's API root; the port is free a moment before."""
    folder = tmp_path_factory.mktemp("medallion")
    user, _, word = SECRET.partition(":")
    (folder / "data.json").write_text(json.dumps(content()))
    backend = {
        "module": "medallion.backends.memory_backend",
        "module_class": "MemoryBackend",
        "filename": str(folder / "data.json"),
    }
    config = {"backend": backend, "users": {user: word}, "taxii": {"max_page_size": 10}}
    (folder / "config.json").write_text(json.dumps(config))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(MEDALLION), "--host", "127.0.0.1", "--port", str(port), str(folder / "config.json")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            await_port(port)
            yield f"http://127.0.0.1:{port}/api1/collections/"
        finally:
            server.terminate()


def await_port(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("medallion did not start within a minute")


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAXII_TEST", SECRET)


def test_every_object_of_a_collection_is_read_over_its_pages(tmp_path: Path, root: str) -> None:
    case = new_case(tmp_path / "case", "T-1")
    acquired = acquire_taxii(case, f"{root}{COLLECTION}/", secret_env="TAXII_TEST")
    assert (acquired.counts, len(acquired.attachments)) == ({"answered": 3}, 3)
    assert sum(one.tables.get("indicators", 0) for one in normalise(case)) == len(OBJECTS)


def test_what_was_added_before_a_moment_is_not_asked_for(tmp_path: Path, root: str) -> None:
    case = new_case(tmp_path / "case", "T-1")
    acquire_taxii(case, f"{root}{COLLECTION}/", dt.datetime(2026, 3, 10, 0, 20, tzinfo=dt.UTC), "TAXII_TEST")
    assert sum(one.tables.get("indicators", 0) for one in normalise(case)) == 4


@pytest.mark.parametrize(
    ("collection", "secret_env", "words"),
    [(COLLECTION, None, "401"), (COLLECTION.replace("116", "117"), "TAXII_TEST", "404")],
)
def test_a_refusal_and_a_collection_that_is_not_there_are_told_apart(
    tmp_path: Path, root: str, collection: str, secret_env: str | None, words: str
) -> None:
    with pytest.raises(AllFailed, match=words):
        acquire_taxii(new_case(tmp_path / "case", "T-1"), f"{root}{collection}/", secret_env=secret_env)
