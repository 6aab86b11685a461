"""Lets the containers of `sam local invoke` reach the embedded engines of this machine.

    cargo run -- engines | python3 events/local.py [HOST [FILE]]

Writes FILE, .aws-sam/env.json by default, for `--env-vars`, with the throw-away secrets of sign.py.
Ends with the engines. HOST is the address of this machine in a container. On Linux it is that of
Docker's bridge, and this program forwards from there to the engines on loopback. On other systems it
is host.docker.internal, and Docker forwards. 127.0.0.1 is for functions without a container.
"""

import asyncio
import contextlib
import json
import os
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
        "PLACET_WORK_QUEUE_URL": engines["work_queue_url"],
        "PLACET_CALLS_QUEUE_URL": engines["calls_queue_url"],
        "PLACET_DEAD_LETTER_QUEUE_URL": engines["dead_letter_queue_url"],
        "AWS_ENDPOINT_URL_DYNAMODB": engines["dynamodb_url"],
        "AWS_ENDPOINT_URL_SQS": engines["sqs_url"],
        "AWS_ENDPOINT_URL_S3": engines["s3_url"],
        "PLACET_BLOBS": f"s3://{engines['bucket']}",
        "PLACET_SECRETS": json.dumps(sign.WEBHOOK_SECRETS),
        "PLACET_LINK_SECRET": sign.LINK_SECRET,
        # SAM knows no Function URL before a deployment.
        "PLACET_INBOX_URL": "https://inbox.example.com",
        "PLACET_DEMO": "on",
    }
    return {"Parameters": variables}


async def main(host, file=ENV_FILE):
    line = sys.stdin.readline()
    if not line:
        sys.exit("The engines did not start.")
    engines = json.loads(line)
    if host not in (LOOPBACK, VIRTUAL_MACHINE):
        for service in ("dynamodb", "sqs", "s3"):
            await forward(host, urlsplit(engines[f"{service}_url"]).port)
    seen_from_containers = json.loads(line.replace(LOOPBACK, host))
    file = Path(file)
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(env_vars(seen_from_containers), indent=2) + "\n")
    print(f"The engines are up; {os.path.relpath(file)} leads to them.", flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    default = BRIDGE if sys.platform == "linux" else VIRTUAL_MACHINE
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(*sys.argv[1:3] or [default]))
