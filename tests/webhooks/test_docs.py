"""What docs/webhooks.md says of how to verify a call does verify one, and nothing else."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks import WebhookVerificationError

from service.domain.webhook import EventType
from service.notify.webhooks.signing import secret_text, signature_headers
from tests.webhooks.desk import SECRET, SECRET_TEXT

# As a wheel puts it beside Python.
NODE = Path(sys.executable).with_name("node")
DOCS = (Path(__file__).resolve().parents[2] / "docs/webhooks.md").read_text()
BODY = '{"type":"booking.booked","note":"Größe 38"}'
OLD = b"the one before, of thirty-two b."


def code(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", DOCS, re.DOTALL)
    return found


def a_call() -> dict[str, str]:
    return signature_headers([OLD, SECRET], "event-1", datetime.now(UTC), BODY.encode())


def test_in_python():
    names: dict = {}
    exec(code("python"), names)

    assert names["receive"](BODY.encode(), a_call(), SECRET_TEXT) == json.loads(BODY)
    with pytest.raises(WebhookVerificationError):
        names["receive"](BODY.encode(), a_call(), secret_text(b"x" * 32))


@pytest.mark.parametrize(
    ("body", "secret", "is_ours"),
    [
        (BODY, SECRET_TEXT, "true"),
        (BODY + " ", SECRET_TEXT, "false"),
        (BODY, secret_text(b"x" * 32), "false"),
    ],
)
async def test_in_node(body, secret, is_ours):
    given = ", ".join(json.dumps(each) for each in (body, a_call(), secret))
    script = f"{code('js')}\nconsole.log(isOurs({given}));"
    process = await asyncio.create_subprocess_exec(
        str(NODE), "-e", script, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await process.communicate()

    assert output.decode().strip() == is_ours, errors.decode()


def test_every_event_is_in_the_docs():
    assert set(re.findall(r"`((?:booking|waitlist)\.[a-z_]+)`", DOCS)) == set(EventType)
