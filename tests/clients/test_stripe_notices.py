"""Stripe's deliveries: which secret signed them, and that nothing that is signed can stop the reading."""

import json
from typing import Any

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from clients.stripe import StripeNotices, listen
from clients.webhook_secrets import read_secrets

SECRETS = ("summer-2026:whsec_new", "whsec_old")
BODY = (
    b'{"id":"evt_1","type":"charge.refunded","created":1790000000,"livemode":false,'
    b'"data":{"object":{"id":"ch_1","object":"charge","payment_intent":"pi_1"}}}'
)

ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.just("x" * 5000)
    | st.sampled_from(["evt_1", "payment_intent", "charge", "payment_intent.succeeded", "\x00", "acct_1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
"""Anything JSON can say, with a liking for Stripe's words."""

FIELDS = ("id", "object", "type", "created", "livemode", "account", "api_version", "data", "pending_webhooks")


@pytest.fixture(name="notices")
def _notices() -> StripeNotices:
    return listen(SECRETS, "sk_test_of_the_tests")


def signed(secret: str, body: bytes = BODY, **more: int) -> str:
    return stripe.WebhookSignature.generate_signature_header(body.decode(), secret, **more)


def test_each_of_several_secrets_verifies_and_the_one_that_did_is_named(notices: StripeNotices) -> None:
    old = notices.read(BODY, signed("whsec_old"))
    new = notices.read(BODY, signed("whsec_new"))
    assert old.event is not None
    assert (old.event.id, old.event.object_kind, old.event.payment_id) == ("evt_1", "charge", "pi_1")
    assert (old.event.fault, old.event.foreign) == (None, None)
    assert new.secret_label == "summer-2026"
    assert str(old.secret_label).startswith("secret ")
    assert tuple(notices.labels) == (new.secret_label, old.secret_label)
    assert "whsec" not in f"{old} {new} {notices.labels}"


def test_a_secret_keeps_its_label_when_it_is_moved_behind_a_newer_one() -> None:
    alone = listen(("whsec_old",), "sk_test_1").labels
    assert alone[0] == listen(("whsec_newer", "whsec_old"), "sk_test_1").labels[1]


@pytest.mark.parametrize(
    "given_secrets",
    [("two words:whsec_1",), (":whsec_1",), ("whsec_1", "whsec_1"), ("new:whsec_1", "new:whsec_2")],
    ids=["two words", "no word", "twice", "one name for two"],
)
def test_a_name_that_names_nothing_or_two_secrets_is_refused(given_secrets: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="name"):
        read_secrets(given_secrets)


@pytest.mark.parametrize(
    ("signature", "refusal"),
    [
        (None, "no_signature"),
        ("nonsense", "bad_signature"),
        ("t=1,v1=é", "bad_signature"),
        (signed("whsec_unknown"), "bad_signature"),
        (signed("whsec_old", timestamp=1_600_000_000), "too_old"),
        (signed("whsec_old", b"{}"), "bad_signature"),
    ],
    ids=["unsigned", "nonsense", "strange letters", "unknown secret", "old", "other body"],
)
def test_a_delivery_that_is_not_from_stripe_is_refused_with_the_reason(
    notices: StripeNotices, signature: str | None, refusal: str
) -> None:
    read = notices.read(BODY, signature)
    assert (read.event, read.refusal) == (None, refusal)


def test_bytes_that_are_no_text_cannot_have_been_signed(notices: StripeNotices) -> None:
    assert notices.read(b"\xff\xfe", signed("whsec_new")).refusal == "not_text"


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{}", b'{"id":1}', b"{", b"[" * 100_000, b'{"a":\x00}'])
def test_what_is_signed_but_no_event_is_taken_with_its_fault_and_a_name_of_its_own(
    notices: StripeNotices, body: bytes
) -> None:
    read = notices.read(body, signed("whsec_new", body))
    again = notices.read(body, signed("whsec_new", body))
    assert read.event is not None
    assert again.event is not None
    assert read.event.fault
    assert read.event.id == again.event.id
    assert read.event.id.startswith("body:")
    assert "\x00" not in read.event.body


@pytest.mark.parametrize(
    ("key", "more", "foreign"),
    [
        ("sk_test_1", {"livemode": True}, "it is of live mode, our key of test mode"),
        ("rk_live_1", {"livemode": False}, "it is of test mode, our key of live mode"),
        ("sk_live_1", {"livemode": True}, None),
        ("a key of no known form", {"livemode": True}, None),
        ("sk_test_1", {"account": "acct_1"}, "it is of the connected account acct_1"),
        ("sk_test_1", {"account": None}, None),
    ],
)
def test_events_of_another_mode_or_account_are_told_apart(key: str, more: dict[str, Any], foreign: str | None) -> None:
    body = json.dumps(json.loads(BODY) | more).encode()
    read = listen(SECRETS, key).read(body, signed("whsec_new", body))
    assert read.event is not None
    assert read.event.foreign == foreign


@given(st.dictionaries(st.sampled_from(FIELDS), ODD) | ODD, st.booleans())
def test_whatever_is_signed_is_read_into_text_that_a_database_keeps(found: Any, nested: bool) -> None:
    if nested and isinstance(found, dict):
        found = {**found, "data": {"object": found}}
    body = json.dumps(found).encode()
    read = listen(SECRETS, "sk_test_1").read(body, signed("whsec_old", body)).event
    assert read is not None
    for text in (read.id, read.type, read.object_id, read.object_kind, read.payment_id, read.api_version, read.body):
        assert text is None or "\x00" not in text
        assert text is None or text.encode()
    assert 0 < len(read.id) <= 255
    assert len(read.type) <= 120
    assert max(len(read.object_id or ""), len(read.payment_id or "")) <= 255
    assert max(len(read.object_kind or ""), len(read.api_version or "")) <= 60
