from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieup.feeds.hubs.callbacks import Callbacks

KEY = "a master key for tests that is long enough"
FEED = "0123456789abcdef" * 2
TOPIC = "https://news.example/feed"
MADE = Callbacks(KEY, "https://me.example/own/")

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


def path_of(url: str) -> str:
    return urlsplit(url).path


@given(domain=texts, topic=texts, prefix=st.sampled_from(["", "/own", "/a/websub/b"]))
def test_another_process_with_the_key_knows_them_again(domain: str, topic: str, prefix: str) -> None:
    given_ = MADE.give(domain, FEED, topic)
    other = Callbacks(KEY, f"https://elsewhere.example{prefix}")
    read = other.read(path_of(other.url(given_)))
    assert read == given_
    assert other.is_for(given_, topic)
    assert not other.is_for(given_, topic + "x")
    assert other.secret(given_) == MADE.secret(given_)


@pytest.mark.parametrize("domain", ["news.example", "::1", "127.0.0.1", "münchen.example", "a/b"])
def test_domains_of_all_sorts(domain: str) -> None:
    url = MADE.url(MADE.give(domain, FEED, TOPIC))
    assert url.isascii()
    assert url.startswith("https://me.example/own/websub/")
    assert MADE.read(path_of(url)) == MADE.give(domain, FEED, TOPIC)


def test_no_digit_of_a_callback_can_be_changed() -> None:
    path = path_of(MADE.url(MADE.give("news.example", FEED, TOPIC)))
    for at, char in enumerate(path):
        changed = path[:at] + ("0" if char != "0" else "1") + path[at + 1 :]
        if at > path.index("/websub/") + len("/websub"):
            assert MADE.read(changed) is None, changed
    for wrong in ("", "/", path + "/", path + "0", path[:-1], path.upper(), path.replace("/websub/", "/")):
        assert MADE.read(wrong) is None


def test_another_key_knows_nothing() -> None:
    given_ = MADE.give("news.example", FEED, TOPIC)
    other = Callbacks("another master key, long enough as well", "https://me.example/own")
    assert other.read(path_of(MADE.url(given_))) is None
    assert other.secret(given_) != MADE.secret(given_)
    assert other.identity(given_) != MADE.identity(given_)


def test_secrets_are_their_own_and_short_enough_for_the_protocol() -> None:
    one, two = (MADE.give("news.example", FEED, topic) for topic in (TOPIC, TOPIC + "/2"))
    assert MADE.secret(one) != MADE.secret(two)
    assert len(MADE.secret(one)) == 64
    assert MADE.secret(one).decode() not in MADE.url(one)
    assert MADE.identity(one) not in MADE.url(one)
