"""Keys and signatures on the command line: what is said, what a program gets, and what never stands there."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.conftest import Said
from tests.evidence.authority import NEEDS_OPENSSL, Authority, authority
from tests.evidence.openssh import NEEDS_OPENSSH, keygen, made, public
from tests.evidence.test_keys import WITH_BCRYPT

from playbooks.case import Case, new_case, open_case
from playbooks.evidence import add, custody
from playbooks.evidence.checks import State
from playbooks.evidence.keys import load_public
from playbooks.evidence.seal_check import check_seals
from playbooks.evidence.timestamp_check import check_tokens

Run = Callable[..., Said]


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
    """A case in the folder of the person who types."""
    monkeypatch.chdir(tmp_path)
    opened = new_case(Path("IR-1"), "IR-1")
    Path("a.log").write_text("a line\n")
    add(opened, [Path("a.log")])
    return opened


def told(done: Said) -> tuple[int, str, str]:
    return done.code, done.out, done.err


def test_a_key_is_made_and_shown(playbooks: Run, case: Case) -> None:
    done = playbooks("keys", "new", "ana", "--comment", "Ana Lyst")
    key = load_public(Path("ana.pub"))
    assert told(done) == (
        0,
        "Private key: ana  (keep it away from the case)\n"
        "Public key:  ana.pub  (give it to whoever verifies)\n"
        f"Fingerprint: {key.fingerprint}  (note it outside of the case)\n",
        "",
    )
    assert told(playbooks("keys", "show", "ana.pub")) == (0, f"{key.fingerprint}  ED25519  Ana Lyst\n", "")


def test_a_program_gets_the_same_facts(playbooks: Run, case: Case) -> None:
    done = json.loads(playbooks("keys", "new", "ana", "--json").out)
    key = load_public(Path("ana.pub"))
    facts = {"fingerprint": key.fingerprint, "type": "ED25519", "public_key": key.line(), "comment": ""}
    assert done == {"private": "ana", "public": "ana.pub", **facts}
    assert json.loads(playbooks("keys", "show", "ana.pub", "--json").out) == [facts]


def test_a_case_is_signed_and_the_words_say_over_what(playbooks: Run, case: Case) -> None:
    playbooks("keys", "new", "ana")
    key = load_public(Path("ana.pub"))
    assert told(playbooks("sign", "IR-1", "--key", "ana")) == (
        0,
        f"Seal 0001: 1 items and 1 entries, signed by {key.fingerprint}.\n"
        "  IR-1/seals/0001.json and IR-1/seals/0001.json.sig\n",
        "",
    )
    assert check_seals(case, [key])[0].state is State.VERIFIED
    assert json.loads(playbooks("sign", "IR-1", "--key", "ana", "--json").out) == [
        {
            "seal": 2,
            "statement": "IR-1/seals/0002.json",
            "signature": "IR-1/seals/0002.json.sig",
            "signer": key.fingerprint,
            "items": 1,
            "entries": 2,
            "time_stamp": None,
        }
    ]


@NEEDS_OPENSSH
def test_the_command_that_is_printed_signs_and_is_recorded(playbooks: Run, case: Case) -> None:
    made(Path("my key"), "rsa")
    key = load_public(public(Path("my key")))
    said = playbooks("sign", "IR-1", "--statement-only", "--public-key", "my key.pub").out.splitlines()
    assert said == [
        f"IR-1/seals/0001.json waits for the signature of {key.fingerprint}. Whoever holds that key types:",
        "ssh-keygen -Y sign -f 'my key' -n playbooks IR-1/seals/0001.json",
        "Then:",
        "playbooks sign IR-1 --record",
    ]
    subprocess.run(said[1], shell=True, capture_output=True, check=True)
    assert playbooks(*said[3].split()[1:]).out.startswith("Seal 0001: 1 items and 1 entries, signed by SHA256:")
    assert check_seals(case, [key])[0].state is State.VERIFIED
    again = json.loads(playbooks("sign", "IR-1", "--statement-only", "--public-key", "my key.pub", "--json").out)
    assert (again["seal"], again["command"]) == (2, said[1].replace("0001", "0002"))


WRONG = [
    (),
    ("--key", "ana", "--record"),
    ("--key", "ana", "--statement-only", "--public-key", "ana.pub"),
    ("--statement-only",),
    ("--key", "ana", "--public-key", "ana.pub"),
    ("--record", "--public-key", "ana.pub"),
]


@pytest.mark.parametrize("options", WRONG, ids=" ".join)
def test_options_that_do_not_go_together_are_named(options: tuple[str, ...], playbooks: Run, case: Case) -> None:
    playbooks("keys", "new", "ana")
    done = playbooks("sign", "IR-1", *options)
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "UsageError sign: give one of --key FILE, --statement-only with --public-key FILE.pub, or --record. "
        "See docs/how-to/sign.md\n"
    )
    assert not (case.path / "seals").exists()


@NEEDS_OPENSSH
def test_a_wrong_key_stops_before_anything_is_written(playbooks: Run, case: Case) -> None:
    made(Path("rsa"), "rsa")
    made(Path("locked"), "ed25519", passphrase="correct horse")
    playbooks("keys", "new", "ana")
    before = case.custody.read_bytes()
    for key, said in (
        ("rsa", "is a private key of type RSA; this kit signs with Ed25519 only."),
        ("ana.pub", "is a public key. Give the private one to sign"),
        ("locked", "is protected by a passphrase, and none was given. Run it on a terminal"),
        ("none", "no such file. Expected a key."),
    ):
        done = playbooks("sign", "IR-1", "--key", key)
        assert (done.code, said in done.err) == (2, True), done.err
    assert case.custody.read_bytes() == before
    assert not (case.path / "seals").exists()


def test_a_changed_case_is_not_signed(playbooks: Run, case: Case) -> None:
    playbooks("keys", "new", "ana")
    file = case.evidence / "data/E001-a.log"
    file.chmod(0o644)
    file.write_text("A line\n")
    done = playbooks("sign", "IR-1", "--key", "ana")
    assert done.code == 6
    assert "not sealed, because evidence is not what it was when it was added (1 faults)." in done.err


# time


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with authority(tmp_path_factory.mktemp("authority")) as running:
        yield running


@NEEDS_OPENSSL
def test_with_an_authority_in_the_case_the_time_is_stamped_too(playbooks: Run, case: Case, tsa: Authority) -> None:
    file = case.path / "case.yaml"
    playbooks("keys", "new", "ana")
    before = file.read_text()
    file.write_text(before.replace("redact_secrets: true", f"redact_secrets: true, timestamp_url: '{tsa.url}/granted'"))
    said = playbooks("sign", "IR-1", "--key", "ana").out.splitlines()
    assert said[2].startswith(f"Time stamp from {tsa.url}/granted: 20")
    file.write_text(before.replace("redact_secrets: true", f"redact_secrets: true, timestamp_url: '{tsa.url}/error'"))
    done = playbooks("sign", "IR-1", "--key", "ana")
    assert done.code == 0
    assert done.out.splitlines()[2] == f"No time stamp from {tsa.url}/error: HTTP 500. The seal holds without one."
    newest, older = check_tokens(open_case(case.path), [tsa.root.certificate])
    assert (newest.state, older.state) == (State.NOT_PRESENT, State.VERIFIED)
    assert [entry["activity"] for entry in custody.entries(case.custody)][1:] == ["sealed", "stamped"] * 2


# passphrases


def typed(words: str, *arguments: str) -> tuple[int, str]:
    """Exit code and screen of a command at a terminal, where somebody types these words."""
    ours, theirs = os.openpty()

    def at_the_terminal() -> None:
        os.setsid()
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

    program = "from playbooks.cli import main; main()"
    run = subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        preexec_fn=at_the_terminal,
    )
    os.close(theirs)
    screen = b""
    for line in words.splitlines(keepends=True):
        while not screen.rstrip().endswith(b":"):
            screen += os.read(ours, 1024)
        while termios.tcgetattr(ours)[3] & termios.ECHO:
            time.sleep(0.02)  # what is typed while it would still be shown is thrown away
        os.write(ours, line.encode())
        screen += b" <typed>\n"
    try:
        while block := os.read(ours, 1024):
            screen += block
    except OSError:  # the other end is closed
        run.wait(timeout=60)
    return run.wait(timeout=60), screen.decode()


@WITH_BCRYPT
@NEEDS_OPENSSH
def test_a_passphrase_is_asked_for_and_never_shown(case: Case) -> None:
    code, screen = typed("correct horse\ncorrect horse\n", "keys", "new", "ana", "--passphrase")
    assert (code, "correct horse" in screen) == (0, False), screen
    assert keygen("-y", "-P", "correct horse", "-f", "ana").returncode == 0
    code, screen = typed("correct horse\n", "sign", "IR-1", "--key", "ana")
    assert (code, "correct horse" in screen) == (0, False), screen
    assert check_seals(case, [load_public(Path("ana.pub"))])[0].state is State.VERIFIED
    code, screen = typed("battery\n", "sign", "IR-1", "--key", "ana")
    assert code == 2
    assert "does not open with this passphrase" in screen
