"""A trail as CloudTrail delivers it, small: log files, hourly digest files signed with a key of our own.

Written from the AWS CloudTrail User Guide alone, so that it does not repeat a mistake of the code it tests.
"""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

ACCOUNT = "111122223333"
BUCKET = "example-trail-bucket"
NOON = dt.datetime(2026, 3, 10, 12, 0, 31, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def iso(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def packed(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class SigningKey:
    """A key pair as CloudTrail has one per region."""

    def __init__(self, start: dt.datetime = NOON - 24 * HOUR, end: dt.datetime = NOON + 1000 * HOUR) -> None:
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.start, self.end = start, end
        form = serialization.PublicFormat
        self.der = self.private.public_key().public_bytes(serialization.Encoding.DER, form.PKCS1)
        self.pem = self.private.public_key().public_bytes(serialization.Encoding.PEM, form.SubjectPublicKeyInfo)
        self.fingerprint = hashlib.md5(self.der).hexdigest()

    def sign(self, text: str) -> str:
        return self.private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()).hex()

    def listed(self, **changed: Any) -> dict[str, Any]:
        """The key as `aws cloudtrail list-public-keys` prints it."""
        entry = {
            "Value": base64.b64encode(self.der).decode(),
            "ValidityStartTime": self.start.timestamp(),
            "ValidityEndTime": self.end.isoformat(),
            "Fingerprint": self.fingerprint,
        }
        return entry | changed


def key_list(*entries: dict[str, Any]) -> bytes:
    return json.dumps({"PublicKeyList": list(entries)}).encode()


def record(number: int) -> dict[str, Any]:
    return {
        "eventVersion": "1.11",
        "eventTime": iso(NOON + number * dt.timedelta(minutes=1)),
        "eventSource": "lambda.amazonaws.com",
        "eventName": "UpdateFunctionCode20150331v2",
        "awsRegion": "eu-central-1",
        "sourceIPAddress": "192.0.2.10",
        "eventID": f"00000000-0000-4000-8000-{number:012d}",
    }


class DeliveredTrail:
    """What one trail writes into its bucket: `files` by S3 key (packed), `signatures` as S3 keeps them beside."""

    def __init__(
        self,
        key: SigningKey,
        name: str = "main",
        region: str = "eu-central-1",
        account: str = ACCOUNT,
        start: dt.datetime = NOON,
        suffix: str = "",
    ) -> None:
        self.key, self.name, self.region, self.account, self.now, self.suffix = (
            key,
            name,
            region,
            account,
            start,
            suffix,
        )
        self.files: dict[str, bytes] = {}
        self.signatures: dict[str, str] = {}
        self.digests: list[str] = []
        self.logs: list[str] = []
        self.last: dict[str, Any] = dict.fromkeys(
            ("S3Bucket", "S3Object", "HashValue", "HashAlgorithm", "Signature"), None
        )

    def deliver(self, data: bytes, minute: int = 5) -> dict[str, Any]:
        """Write one log file; gives the entry that the digest file of the hour holds."""
        moment = self.now + dt.timedelta(minutes=minute)
        unique = sha256(self.name.encode() + data)[:16]
        name = f"{self.account}_CloudTrail_{self.region}_{moment:%Y%m%dT%H%MZ}_{unique}.json.gz"
        key = f"AWSLogs/{self.account}/CloudTrail/{self.region}/{moment:%Y/%m/%d}/{name}"
        self.files[key] = packed(data)
        self.logs.append(key)
        return {"s3Bucket": BUCKET, "s3Object": key, "hashValue": sha256(data), "hashAlgorithm": "SHA-256"}

    def hours(self, count: int, logs_each: int = 1) -> DeliveredTrail:
        """Let `count` hours go by."""
        for _ in range(count):
            self.hour(logs_each)
        return self

    def hour(self, log_count: int = 1, length: dt.timedelta = HOUR, **changed: Any) -> str:
        """Deliver log files and the digest file of the hour; gives the key of the digest file."""
        numbers = range(len(self.logs), len(self.logs) + log_count)
        bodies = [json.dumps({"Records": [record(number)]}).encode() for number in numbers]
        entries = [self.deliver(body, 5 + 5 * place) for place, body in enumerate(bodies)]
        start, self.now = self.now, self.now + length
        stem = f"{self.account}_CloudTrail-Digest_{self.region}_{self.name}_eu-central-1_{self.now:%Y%m%dT%H%M%SZ}"
        folder = f"AWSLogs/{self.account}/CloudTrail-Digest/{self.region}/{self.now:%Y/%m/%d}"
        stated = {
            "awsAccountId": self.account,
            "digestStartTime": iso(start),
            "digestEndTime": iso(self.now),
            "digestS3Bucket": BUCKET,
            "digestS3Object": f"{folder}/{stem}{self.suffix}.json.gz",
            "digestPublicKeyFingerprint": self.key.fingerprint,
            "digestSignatureAlgorithm": "SHA256withRSA",
            "newestEventTime": iso(start) if entries else None,
            "oldestEventTime": iso(start) if entries else None,
            **{f"previousDigest{name}": value for name, value in self.last.items()},
            "logFiles": entries,
        }
        return self.write_digest(stated | changed)

    def write_digest(self, stated: dict[str, Any]) -> str:
        """Sign and write one digest file, and continue the chain from it."""
        key = str(stated["digestS3Object"])
        body = json.dumps(stated).encode()
        before = stated["previousDigestSignature"]
        text = [stated["digestEndTime"], f"{BUCKET}/{key}", sha256(body), "null" if before is None else before]
        self.signatures[key] = self.key.sign("\n".join(text))
        self.files[key] = packed(body)
        self.digests.append(key)
        self.last = {
            "S3Bucket": BUCKET,
            "S3Object": key,
            "HashValue": sha256(body),
            "HashAlgorithm": "SHA-256",
            "Signature": self.signatures[key],
        }
        return key

    def restart(self) -> None:
        """Switch validation off and on: the next digest file is the first of a chain."""
        self.last = dict.fromkeys(self.last, None)

    def edit_digest(self, place: int, **changed: Any) -> None:
        """Change a digest file as somebody with access to the bucket can: without the key."""
        key = self.digests[place]
        self.files[key] = packed(json.dumps(json.loads(gzip.decompress(self.files[key])) | changed).encode())

    def digest(self, place: int) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(gzip.decompress(self.files[self.digests[place]]))
        return found

    def download(self, folder: Path) -> list[Path]:
        """The files as `aws s3 sync` writes them."""
        paths = []
        for key, data in self.files.items():
            path = folder / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            paths.append(path)
        return paths

    def head_object(self, place: int) -> bytes:
        """The metadata of a digest file as `aws s3api head-object` prints it: it does not say of which file."""
        signature = self.signatures[self.digests[place]]
        metadata = {"signature": signature, "signature-algorithm": "SHA256withRSA"}
        return json.dumps({"AcceptRanges": "bytes", "ContentLength": 700, "Metadata": metadata}, indent=4).encode()
