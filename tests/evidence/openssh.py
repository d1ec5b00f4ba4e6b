"""The real OpenSSH beside our own signatures: keys and signatures made by `ssh-keygen`."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

NEEDS_OPENSSH = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="OpenSSH is not installed here")


def keygen(*arguments: object, content: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = ["ssh-keygen", *map(str, arguments)]
    return subprocess.run(command, input=content, capture_output=True, timeout=60, check=False)


def made(file: Path, kind: str, *options: object, passphrase: str = "") -> Path:
    """A private key of OpenSSH; its public half lies beside it."""
    done = keygen("-q", "-t", kind, "-N", passphrase, "-C", f"{kind} key", "-f", file, *options)
    assert done.returncode == 0, done.stderr
    return file


def public(private: Path) -> Path:
    return private.with_name(private.name + ".pub")


def signed(private: Path, file: Path, namespace: str = "playbooks", *options: object) -> Path:
    """The signature of `ssh-keygen -Y sign` over a file."""
    done = keygen("-Y", "sign", "-f", private, "-n", namespace, *options, file)
    assert done.returncode == 0, done.stderr
    return file.with_name(file.name + ".sig")


def accepted(signature: Path, file: Path, public_key: Path, namespace: str = "playbooks") -> bool:
    """Whether `ssh-keygen -Y verify`, which knows nothing of this kit, takes a signature."""
    signers = signature.with_name("signers")
    signers.write_text(f"analyst {public_key.read_text()}")
    verify = ("-Y", "verify", "-f", signers, "-I", "analyst", "-n", namespace, "-s", signature)
    done = keygen(*verify, content=file.read_bytes())
    assert done.returncode in (0, 255), done.stderr
    return done.returncode == 0
