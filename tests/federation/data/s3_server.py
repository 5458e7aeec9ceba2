"""A real S3 server in a process of its own, of a package: it checks every signature, as a store in earnest does."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

BUCKET = "city"
REGION = "eu-north-1"
_START_S = 20.0
# Making the user, its key and its rights: three acts before whoever asks must show who they are.
_UNCHECKED = "3"
_RIGHTS = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'


@dataclass(frozen=True)
class Store:
    """Where it is, and a key that it takes."""

    url: str
    key_id: str
    secret: str = field(repr=False)

    @property
    def client(self) -> Any:
        """Give somebody else's client of it."""
        boto3 = pytest.importorskip("boto3")
        return boto3.client("s3", **_shown(self.url, self.key_id, self.secret))

    def names(self) -> list[str]:
        return [each["Key"] for each in self.client.list_objects_v2(Bucket=BUCKET).get("Contents", ())]

    def uploads(self) -> list[Any]:
        return list(self.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", ()))

    def body(self, key: str) -> bytes:
        return bytes(self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read())


def _shown(url: str, key_id: str, secret: str) -> dict[str, str]:
    return {
        "endpoint_url": url,
        "region_name": REGION,
        "aws_access_key_id": key_id,
        "aws_secret_access_key": secret,
    }


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Store]:
    """Run one with an empty bucket; it is gone afterwards."""
    pytest.importorskip("moto")
    port, log = _free_port(), folder / "s3.log"
    environment = os.environ | {"INITIAL_NO_AUTH_ACTION_COUNT": _UNCHECKED, "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT)
    try:
        _wait(process, port, log)
        yield _made(f"http://127.0.0.1:{port}")
    finally:
        process.kill()
        process.wait()


def _made(url: str) -> Store:
    boto3 = pytest.importorskip("boto3")
    iam = boto3.client("iam", **_shown(url, "none", "none"))
    iam.create_user(UserName="citynode")
    key = iam.create_access_key(UserName="citynode")["AccessKey"]
    iam.put_user_policy(UserName="citynode", PolicyName="s3", PolicyDocument=_RIGHTS)
    store = Store(url, key["AccessKeyId"], key["SecretAccessKey"])
    store.client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    return store


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + _START_S
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return
        time.sleep(0.05)
    raise AssertionError(log.read_text())
