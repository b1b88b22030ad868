"""Capability URLs: each opens one thing, and none can be guessed from another."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.unit.alerts.making import KEY, T0, sealer

from tieup.alerts.capabilities import Capabilities, Form, Pull, Stop, Wrong
from tieup.ids import derive_id
from tieup.model.subscription import Channel

LINKS = Capabilities(KEY, "https://tieup.example.com/under/")
SUBSCRIPTION, OTHER = derive_id("s"), derive_id("t")
FEED = sealer().endpoint(Channel.FEED, SUBSCRIPTION)


def path(url: str) -> str:
    assert url.startswith("https://tieup.example.com/under/alerts/")
    return url.removeprefix("https://tieup.example.com")


def pull(subscription_id: str = SUBSCRIPTION, form: Form = Form.ATOM, version: int = 1) -> Pull:
    found = LINKS.read(path(LINKS.pull_url(subscription_id, form, version)))
    assert isinstance(found, Pull)
    return found


def test_what_was_given_is_known_again() -> None:
    assert LINKS.read(path(LINKS.wrong_url(SUBSCRIPTION, OTHER, SUBSCRIPTION))) == Wrong(
        SUBSCRIPTION, OTHER, SUBSCRIPTION
    )
    assert LINKS.read(path(LINKS.stop_url(OTHER))) == Stop(OTHER)
    assert LINKS.opens(pull(), FEED, T0)
    assert LINKS.opens(pull(form=Form.JSON), FEED, T0)


def test_a_token_opens_nothing_else() -> None:
    assert not LINKS.opens(replace(pull(), subscription_id=OTHER), FEED, T0)
    assert not LINKS.opens(replace(pull(), form=Form.STREAM), FEED, T0)
    assert not LINKS.opens(pull(), None, T0)
    assert not Capabilities(KEY + "x", "https://a.example").opens(pull(), FEED, T0)
    wrong = path(LINKS.wrong_url(SUBSCRIPTION, OTHER, SUBSCRIPTION))
    for changed in (
        wrong.replace(OTHER, derive_id("u")),
        wrong[:-1] + ("0" if wrong[-1] != "0" else "1"),
        wrong + "/",
        wrong.upper(),
        path(LINKS.stop_url(OTHER)).replace("stop", "wrong"),
    ):
        assert LINKS.read(changed) is None


@pytest.mark.parametrize("text", ["", "/", "/alerts", "/alerts/x/y/feed.atom", "/alerts/" + "0" * 32])
def test_what_was_never_given_is_nothing(text: str) -> None:
    assert LINKS.read(text) is None


def test_a_rotated_url_holds_for_a_day() -> None:
    rotated = replace(FEED, secret_version=2, former_until=T0 + timedelta(hours=24))
    for at, former in ((T0, True), (T0 + timedelta(hours=25), False)):
        assert LINKS.opens(pull(version=1), rotated, at) is former
        assert LINKS.opens(pull(version=2), rotated, at)
        assert not LINKS.opens(pull(version=3), rotated, at)
