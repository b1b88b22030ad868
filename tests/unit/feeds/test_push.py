import hashlib
import hmac
from urllib.parse import quote_from_bytes, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieup.feeds.hubs.push import ALGORITHMS, Intent, is_signed, read_intent

FOX = b"The quick brown fox jumps over the lazy dog"
# HMAC with the key "key", as Wikipedia gives them.
KNOWN = {
    "sha1": "de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9",
    "sha256": "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8",
}
TOPIC = "https://news.example/feed?a=1&b=ü"
PROPER = {"hub.mode": "subscribe", "hub.topic": TOPIC, "hub.challenge": "c", "hub.lease_seconds": "864000"}


@pytest.mark.parametrize("method", KNOWN)
def test_known_signatures(method: str) -> None:
    assert is_signed(f"{method}={KNOWN[method]}", FOX, b"key")
    assert is_signed(f" {method.upper()}={KNOWN[method].upper()} ", FOX, b"key")
    assert not is_signed(f"{method}={KNOWN[method]}", FOX + b".", b"key")
    assert not is_signed(f"{method}={KNOWN[method]}", FOX, b"kex")


@given(st.sampled_from(sorted(ALGORITHMS)), st.binary(max_size=200), st.binary(min_size=1, max_size=64), st.data())
def test_only_the_whole_signature_of_the_named_method_counts(method: str, body: bytes, secret: bytes, data) -> None:
    due = hmac.new(secret, body, getattr(hashlib, method)).hexdigest()
    assert is_signed(f"{method}={due}", body, secret)
    cut = data.draw(st.integers(0, len(due) - 1))
    assert not is_signed(f"{method}={due[:cut]}", body, secret)
    other = data.draw(st.sampled_from(sorted(set(ALGORITHMS) - {method})))
    assert not is_signed(f"{other}={due}", body, secret)
    assert not is_signed(f"{method}={due}, {method}={due}", body, secret)


@given(st.none() | st.text(max_size=200))
def test_no_header_of_a_stranger_counts(header: str | None) -> None:
    assert not is_signed(header, FOX, b"a secret of sixty-four digits")


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50), st.binary(min_size=1, max_size=60))
def test_topic_and_challenge_come_back_as_they_were_sent(topic: str, challenge: bytes) -> None:
    query = urlencode({"hub.mode": "unsubscribe", "hub.topic": topic})
    found = read_intent(f"{query}&hub.challenge={quote_from_bytes(challenge)}")
    assert found == Intent("unsubscribe", topic, challenge)


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({}, Intent("subscribe", TOPIC, b"c", 864_000)),
        ({"hub.lease_seconds": ""}, Intent("subscribe", TOPIC, b"c")),
        ({"hub.lease_seconds": "-1"}, Intent("subscribe", TOPIC, b"c")),
        ({"hub.lease_seconds": "9" * 400}, Intent("subscribe", TOPIC, b"c")),
        ({"hub.mode": "denied", "hub.reason": "a\n\x1b[31m  b\udc80"}, Intent("denied", TOPIC, reason="a [31m b?")),
        ({"hub.mode": "denied", "hub.challenge": ""}, Intent("denied", TOPIC)),
        ({"hub.mode": "publish"}, None),
        ({"hub.mode": ""}, None),
        ({"hub.topic": ""}, None),
        ({"hub.challenge": ""}, None),
        ({"hub.challenge": "x" * 5_000}, None),
    ],
)
def test_intents(changed: dict[str, str], found: Intent | None) -> None:
    assert read_intent(urlencode(PROPER | changed, errors="surrogateescape")) == found


def test_nonsense_is_no_intent() -> None:
    proper = urlencode(PROPER)
    assert read_intent(f"{proper}&hub.mode=subscribe") is None
    assert read_intent(proper + "&a=1" * 40) is None
    assert read_intent(proper + "&a=" + "x" * 20_000) is None


@given(st.text(max_size=300))
def test_no_query_makes_it_fail(query: str) -> None:
    read_intent(query)
