"""Commands about signatures: make keys, sign a case, have the time stamped."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from playbooks.cli.app import AsJson, CaseFolder, app
from playbooks.errors import UsageError
from playbooks.terminal import out, plain, print_json, say

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from playbooks.case import Case
    from playbooks.evidence.public_keys import PublicKey
    from playbooks.evidence.seal import Sealed

keys = typer.Typer(name="keys", help="Keys that sign a case.", no_args_is_help=True)
app.add_typer(keys, name="keys")


@keys.command(name="new")
def new(
    file: Annotated[Path, typer.Argument(help="File of the private key; FILE.pub becomes the public one.")],
    comment: Annotated[str, typer.Option(help="Whose key it is.")] = "",
    passphrase: Annotated[bool, typer.Option("--passphrase", help="Ask for a passphrase that protects it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make an Ed25519 key pair in OpenSSH's format. Keep the private key away from the case.

    Example: playbooks keys new ~/.ssh/evidence --comment "Ana Lyst, CERT" --passphrase
    """
    from playbooks.evidence.keys import new_key

    made = new_key(file, comment, _new_passphrase() if passphrase else None)
    if as_json:
        print_json({"private": str(file), "public": f"{file}.pub", **_facts(made)})
        return
    say(f"Private key: {file}  (keep it away from the case)")
    say(f"Public key:  {file}.pub  (give it to whoever verifies)")
    say(f"Fingerprint: {made.fingerprint}  (note it outside of the case)")


def _new_passphrase() -> bytes:
    given: str = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=True, err=True)
    return given.encode()


@keys.command(name="show")
def show(
    file: Annotated[Path, typer.Argument(help="Public key (.pub or PEM), or a list of allowed signers.")],
    as_json: AsJson = False,
) -> None:
    """Print the fingerprint of every public key in a file, as `ssh-keygen -lf` does.

    Example: playbooks keys show analyst.pub
    """
    from playbooks.evidence.keys import load_publics

    found = load_publics(file)
    if as_json:
        print_json([_facts(key) for key in found])
        return
    for key in found:
        say(f"{key.fingerprint}  {key.name}  {key.comment}".rstrip())


def _facts(key: PublicKey) -> dict[str, str]:
    return {"fingerprint": key.fingerprint, "type": key.name, "public_key": key.line(), "comment": key.comment}


@app.command()
def sign(
    folder: CaseFolder,
    key: Annotated[Path | None, typer.Option("--key", help="Private Ed25519 key that signs.")] = None,
    statement_only: Annotated[
        bool, typer.Option("--statement-only", help="Write the statement; ssh-keygen signs it.")
    ] = False,
    public_key: Annotated[
        Path | None, typer.Option("--public-key", help="With --statement-only: the key that will sign.")
    ] = None,
    record: Annotated[bool, typer.Option("--record", help="Take the signature that ssh-keygen left.")] = False,
    as_json: AsJson = False,
) -> None:
    """Sign what bag and custody chain are now: how much evidence, how many entries, the head of the chain.

    Example: playbooks sign cases/IR-31 --key ~/.ssh/evidence
    """
    from playbooks.case import open_case
    from playbooks.evidence import seal

    if [key is not None, statement_only, record].count(True) != 1 or (public_key is not None) != statement_only:
        raise UsageError(
            "sign: give one of --key FILE, --statement-only with --public-key FILE.pub, or --record. "
            "See docs/how-to/sign.md"
        )
    case = open_case(folder)
    if statement_only and public_key is not None:
        from playbooks.evidence.keys import load_public

        _waiting(folder, seal.statement(case, load_public(public_key)), public_key, as_json)
        return
    made = seal.record(case) if key is None else [seal.seal(case, _opened(key))]
    rows = [_sealed(folder, one) | {"time_stamp": _stamped(case, one)} for one in made]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        _print_seal(row)


def _opened(file: Path) -> Ed25519PrivateKey:
    """The private key; its passphrase is asked for where it has one and somebody is there."""
    from playbooks.evidence.keys import KeyIsProtected, load_private

    try:
        return load_private(file)
    except KeyIsProtected:
        if not sys.stdin.isatty():
            raise
    passphrase: str = typer.prompt(f"Passphrase of {plain(str(file))}", hide_input=True, err=True)
    return load_private(file, passphrase.encode())


def _sealed(folder: Path, made: Sealed) -> dict[str, Any]:
    statement = folder / "seals" / made.statement.name
    return {
        "seal": made.number,
        "statement": str(statement),
        "signature": f"{statement}.sig",
        "signer": made.fingerprint,
        "items": made.items,
        "entries": made.chain_entries,
    }


def _stamped(case: Case, made: Sealed) -> dict[str, str] | None:
    from playbooks.evidence.timestamp import request_token

    stamp = request_token(case, made.statement)
    if stamp is None:
        return None
    return {"authority": stamp.authority, "time": stamp.time, "failure": stamp.failure}


def _print_seal(row: dict[str, Any]) -> None:
    say(f"Seal {row['seal']:04d}: {row['items']:,} items and {row['entries']:,} entries, signed by {row['signer']}.")
    say(f"  {row['statement']} and {row['signature']}")
    stamp = row["time_stamp"]
    if stamp and stamp["failure"]:
        say(f"No time stamp from {stamp['authority']}: {stamp['failure']}. The seal holds without one.")
    elif stamp:
        say(f"Time stamp from {stamp['authority']}: {stamp['time']}")


def _waiting(folder: Path, made: Sealed, public_key: Path, as_json: bool) -> None:
    private = public_key.with_suffix("") if public_key.suffix == ".pub" else Path("KEY")
    row = _sealed(folder, made)
    command = made.command(private, Path(row["statement"]))
    if as_json:
        print_json(row | {"command": command})
        return
    say(f"{row['statement']} waits for the signature of {made.fingerprint}. Whoever holds that key types:")
    sys.stdout.write(plain(command) + "\n")
    out.print("Then:")
    say(f"playbooks sign {folder} --record")
