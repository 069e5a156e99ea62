"""A call is signed as the Standard Webhooks specification says: its own library verifies it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from service.notify.webhooks.signing import secret_text, signature_headers

OURS, OLD, ANOTHER = b"o" * 32, b"p" * 32, b"q" * 32
BODY = '{"customer":"Zoë"}'.encode()


def headers(*secrets, now=None, body=BODY):
    return signature_headers(secrets, "event-1", now or datetime.now(UTC), body)


def test_the_library_of_the_specification_verifies_it():
    assert Webhook(secret_text(OURS)).verify(BODY, headers(OURS)) == {"customer": "Zoë"}


def test_the_signature_is_the_one_that_the_library_makes():
    now = datetime(2030, 6, 3, 9, 0, 0, 999_999, tzinfo=UTC)

    made = Webhook(secret_text(OURS)).sign("event-1", now, BODY.decode())

    assert headers(OURS, now=now)["webhook-signature"] == made


def test_while_a_secret_is_replaced_both_verify_it():
    sent = headers(OURS, OLD)

    for secret in (OURS, OLD):
        Webhook(secret_text(secret)).verify(BODY, sent)


@pytest.mark.parametrize(
    ("secret", "sent", "body"),
    [
        (ANOTHER, headers(OURS), BODY),
        (OURS, headers(OURS), BODY.replace(b"customer", b"customes")),
        (OURS, {**headers(OURS), "webhook-id": "event-2"}, BODY),
        (OURS, headers(OURS, now=datetime.now(UTC) - timedelta(minutes=6)), BODY),
    ],
    ids=["another secret", "another body", "another id", "an old call"],
)
def test_what_is_not_ours_or_not_new_is_refused(secret, sent, body):
    with pytest.raises(WebhookVerificationError):
        Webhook(secret_text(secret)).verify(body, sent)
