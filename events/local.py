"""Lets the containers of `sam local invoke` reach the embedded engines of this machine.

    cargo run -- engines | python3 events/local.py [HOST]

Writes .aws-sam/env.json for `--env-vars`, with the throw-away secrets of sign.py, and ends with the
engines. HOST is this machine as containers know it: on Linux the address of Docker's bridge, from
which it forwards to the engines on loopback; elsewhere host.docker.internal, where Docker does that.
"""

import asyncio
import contextlib
import json
import sys
from pathlib import Path
from urllib.parse import urlsplit

import sign

LOOPBACK, BRIDGE, VIRTUAL_MACHINE = "127.0.0.1", "172.17.0.1", "host.docker.internal"
ENV_FILE = Path(__file__).resolve().parent.parent / ".aws-sam/env.json"


async def copy(reader, writer):
    with contextlib.closing(writer):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


async def forward(host, port):
    async def connected(reader, writer):
        from_engine, to_engine = await asyncio.open_connection(LOOPBACK, port)
        ways = copy(reader, to_engine), copy(from_engine, writer)
        await asyncio.gather(*ways, return_exceptions=True)

    try:
        await asyncio.start_server(connected, host, port)
    except OSError as error:
        sys.exit(f"{error}\nIs Docker running, and is {host} the address of its bridge?")


def env_vars(engines):
    """What `--env-vars` takes, from what `placet engines` prints."""
    variables = {
        "PLACET_TABLE": engines["table"],
        "PLACET_QUEUE_URL": engines["queue_url"],
        "AWS_ENDPOINT_URL_DYNAMODB": engines["dynamodb_url"],
        "AWS_ENDPOINT_URL_SQS": engines["sqs_url"],
        # There is no S3 here: what is too large for the table stays in its container.
        "PLACET_BLOBS": "/tmp/blobs",
        "PLACET_SECRETS": " ".join("=".join(pair) for pair in sign.WEBHOOK_SECRETS.items()),
        "PLACET_LINK_SECRET": sign.LINK_SECRET,
    }
    return {"Parameters": variables}


async def main(host):
    line = sys.stdin.readline()
    if not line:
        sys.exit("The engines did not start.")
    engines = json.loads(line)
    if host != VIRTUAL_MACHINE:
        for url in (engines["dynamodb_url"], engines["sqs_url"]):
            await forward(host, urlsplit(url).port)
    seen_from_containers = json.loads(line.replace(LOOPBACK, host))
    ENV_FILE.parent.mkdir(exist_ok=True)
    ENV_FILE.write_text(json.dumps(env_vars(seen_from_containers), indent=2) + "\n")
    print("The engines are up; .aws-sam/env.json leads to them.", flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    default = BRIDGE if sys.platform == "linux" else VIRTUAL_MACHINE
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(*sys.argv[1:2] or [default]))
