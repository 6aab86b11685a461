"""MACs that the OpenSSL program computes."""

import base64
import subprocess


def mac(digest, key, message):
    key = key if isinstance(key, bytes) else key.encode()
    command = ["openssl", "dgst", f"-{digest}", "-mac", "HMAC", "-macopt", f"hexkey:{key.hex()}", "-binary"]
    return subprocess.run(command, input=message, capture_output=True, check=True, timeout=20).stdout


def hexadecimal(key, message, digest="sha256"):
    return mac(digest, key, message).hex()


def base64_of(key, message, digest="sha256"):
    return base64.b64encode(mac(digest, key, message)).decode()
