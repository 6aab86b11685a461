"""Bodies that are too large for the table, in S3."""

import hashlib
import hmac
import os

import pytest
from conftest import Placet, eventually
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


def test_a_large_body_goes_to_s3_and_comes_back(tmp_path, s3):
    placet = Placet(tmp_path, signed=False)
    placet.environment |= s3.environment | {"PLACET_SECRET_HMAC": SECRET}
    with placet:
        body = os.urandom(1_000_000)
        assert post(placet, body).status_code == 200
        assert post(placet, body).status_code == 200
        assert list(s3.objects.values()) == [body]
        assert list(s3.objects) == [f"bodies/{hashlib.sha256(body).hexdigest()}"]
        key = {"Authorization": f"Bearer {placet.key}"}

        def worked_off():
            items = placet.get("/v1/receipts?source=hmac", headers=key).json()["items"]
            return items if [one["state"] for one in items] == ["done"] else None

        [receipt] = eventually(worked_off)
        assert placet.get(f"/v1/receipts/{receipt['id']}/body", headers=key).content == body
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
