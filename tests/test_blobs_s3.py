"""Bodies that are too large for the table, in S3 and in the local files that replace S3."""

import hashlib
import hmac
import os
import subprocess

import pytest
from conftest import BINARY, REPLY, Placet, eventually
from s3 import S3

SECRET = "a secret of more than sixteen bytes"


@pytest.fixture
def s3():
    server = S3()
    yield server
    server.close()


def post(placet, body):
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-Webhook-Signature": signature, "Content-Type": "application/octet-stream"}
    return placet.post("/webhooks/hmac", data=body, headers=headers)


def kept(placet):
    """Returns the downloaded body of the only receipt."""
    key = {"Authorization": f"Bearer {placet.key}"}

    def processed():
        items = placet.get("/v1/receipts?source=hmac", headers=key).json()["items"]
        return items if [one["state"] for one in items] == ["processed"] else None

    [receipt] = eventually(processed)
    return placet.get(f"/v1/receipts/{receipt['id']}/body", headers=key).content


def test_a_large_body_is_stored_in_s3_and_can_be_read(tmp_path, s3):
    placet = Placet(tmp_path, signed=False)
    placet.environment |= s3.environment | {"PLACET_SECRET_HMAC": SECRET}
    with placet:
        body = os.urandom(1_000_000)
        assert post(placet, body).status_code == 200
        assert post(placet, body).status_code == 200
        assert list(s3.objects.values()) == [body]
        assert list(s3.objects) == [f"bodies/{hashlib.sha256(body).hexdigest()}"]
        assert kept(placet) == body
        assert not s3.refused


def test_without_s3_a_large_body_is_not_acknowledged(tmp_path, s3):
    placet = Placet(tmp_path, signed=False)
    placet.environment |= s3.environment | {"PLACET_SECRET_HMAC": SECRET}
    with placet:
        s3.down = True
        answer = post(placet, os.urandom(300_000))
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert post(placet, b"{}").status_code == 200
        s3.down = False
        assert post(placet, os.urandom(300_000)).status_code == 200


def test_without_a_bucket_a_large_body_is_a_file_that_survives_a_kill(tmp_path):
    placet = Placet(tmp_path, signed=False)
    placet.environment["PLACET_SECRET_HMAC"] = SECRET
    with placet:
        body = os.urandom(1_000_000)
        assert post(placet, body).status_code == 200
        placet.kill9()
        placet.restart()
        assert kept(placet) == body
        assert (tmp_path / ".placet/blobs/bodies" / hashlib.sha256(body).hexdigest()).read_bytes() == body


def test_a_folder_for_blobs_is_refused_with_the_fix(tmp_path):
    placet = Placet(tmp_path)
    placet.environment["PLACET_BLOBS"] = "/srv/blobs"
    ended = subprocess.run(
        [BINARY], cwd=tmp_path, env=placet.environment, timeout=REPLY,
        capture_output=True, text=True, stdin=subprocess.DEVNULL,
    )
    assert ended.returncode == 1
    assert "`/srv/blobs`: it must be s3://<bucket>. Unset it" in ended.stderr
