"""What is wrong with a feed, in words: from an answer as it came, parsed here."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from tests.feed_server import document, item, rss

from tieup.errors import BadFeed
from tieup.feeds.http import Answer
from tieup.feeds.looking.checkup import FeedFacts, feed_facts
from tieup.feeds.looking.faults import problems_of
from tieup.feeds.reading.hublinks import advertised, document_links
from tieup.feeds.reading.parse import parse_feed
from tieup.feeds.settings import FetchSettings
from tieup.model.feed import FetchOutcome

NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)
URL = "https://news.example/rss"
SETTINGS = FetchSettings(max_entries=30)
GOOD_HEADERS = {"content-type": "application/rss+xml; charset=utf-8", "etag": '"a"'}


def entry(number: int, **given: str) -> str:
    made = item(number, date=f"Mon, 02 Feb 2026 {number % 24:02}:00:00 GMT").replace("/articles/", f"{URL}/")
    for part, other in given.items():
        made = made.replace({"guid": f"guid-{number}", "link": f"{URL}/{number}", "date": "Feb 2026"}[part], other)
    return made


def feed(*items: str) -> bytes:
    return rss("<language>en</language>", *items)


GOOD = feed(*map(entry, range(5)))


def look(
    body: bytes = GOOD,
    headers: dict[str, str] | None = None,
    *,
    url: str = URL,
    second: int | None = 304,
    **given: object,
) -> FeedFacts:
    sent = httpx.Headers(GOOD_HEADERS if headers is None else headers)
    answer = Answer(URL, 200, sent, body)
    try:
        parsed = parse_feed(body, URL, sent.get("content-type"), SETTINGS.max_entries)
        hub = advertised(sent.get_list("link"), parsed.links or document_links(body), URL)
        read = {"entries": parsed.entries, "bad_entries": parsed.bad_entries, "feed_title": parsed.title}
        read |= {} if hub is None else {"hub_url": hub.hub, "topic_url": hub.topic}
    except BadFeed as error:
        read = {"error": str(error)}
    outcome = FetchOutcome("0" * 32, URL, url, NOON, 200, etag=sent.get("etag"), body_hash="aa", **(read | given))
    again = None if second is None else replace(outcome, status=second, entries=None)
    return feed_facts(url, answer, outcome, again, SETTINGS)


def problems(facts: FeedFacts) -> list[str]:
    return [problem.words for problem in problems_of(facts, NOON, SETTINGS)]


def test_a_good_feed_has_none() -> None:
    assert problems(look()) == []
    facts = look()
    assert (facts.kind, facts.title, facts.entries, facts.second) == ("RSS 2.0", "Motor News", 5, "304, not modified")
    assert facts.identity is not None
    assert (facts.identity.by_link, facts.identity.articles) == (5, 5)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (look(headers={"content-type": "text/xml"}, second=None), "no validators"),
        (look(second=200), "asked with them it answered 200 with the same body"),
        (look(headers=GOOD_HEADERS | {"content-type": "text/html"}), "the Content-Type is text/html"),
        (look(headers={"etag": '"a"'}), "the Content-Type is missing"),
        (look(headers=GOOD_HEADERS | {"content-type": "text/xml; charset=latin-1"}), "the header says latin-1"),
        (look(document("json", 1, 2, 3)), "the Content-Type is application/rss+xml"),
        (look(feed()), "no entries"),
        (look(GOOD[:-60]), "torn XML"),
        (look(feed(*map(entry, range(35)))), "more than 30 entries (feeds.max_entries): 5 left out"),
        (look(feed(entry(1), "<item></item>")), "1 of 2 entries hold nothing"),
        (look(feed(entry(1), entry(2, link="/2"))), "1 relative links"),
        (look(feed(*(entry(n, guid="same") for n in range(4)))), "guids are not unique: 1 of them"),
        (look(feed(*(entry(n, link=URL) for n in range(4)))), "links are not unique: 1 of them"),
        (look(feed(*(entry(n, link=URL, guid="same") for n in range(4)))), "4 entries are known by their content only"),
        (look(feed(entry(1), entry(1))), "2 entries are 1 articles"),
        (look(feed(*(entry(n, date="Feb 2036") for n in range(4)))), "4 dates lie in the future"),
        (look(feed(*(entry(n, date="Feb 2024") for n in range(4)))), "nothing new for 732 d"),
        (look(feed(*(item(n, date=None) for n in range(4)))), "no dates that can be read"),
        (look(feed(*map(entry, range(2)), *(item(n, date=None) for n in range(5, 9)))), "4 of 6 entries have no date"),
        (look(feed(entry(1), "<!--" + "x" * 30_000 + "-->")), "30 kB sent without compression"),
        (look(feed(entry(1), "<!--" + "x" * 2_000_000 + "-->")), "2.0 MB at every change"),
        (look(moved_to="https://new.example/rss"), "moved for good: subscribe to https://new.example/rss"),
        (look(rss(entry(1), title="")), "no title"),
    ],
)
def test_what_is_wrong_is_said_and_breaks_nothing(facts: FeedFacts, words: str) -> None:
    found = problems_of(facts, NOON, SETTINGS)
    assert [problem for problem in found if words in problem.words], [problem.words for problem in found]
    assert not any(problem.breaks for problem in found)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (look(b"", second=None), "nothing can be read: the body is empty"),
        (look(b"<html><p>hello", second=None), "a web page, not a feed, and it names none"),
        (
            look(b"<html>" + b"".join(b"<a href='/%d.rss'>x</a>" % n for n in range(5)), second=None),
            "a web page, not a feed; it names https://news.example/0.rss, https://news.example/1.rss, https://news.",
        ),
        (
            look(entries=None, error=f"{URL}: answered 429", retry_after_s=600, second=None),
            "nothing can be read: answered 429; it asks to be left alone for 10 min",
        ),
    ],
)
def test_what_breaks_a_feed_is_the_only_thing_said(facts: FeedFacts, words: str) -> None:
    (problem,) = problems_of(facts, NOON, SETTINGS)
    assert problem.breaks
    assert problem.words.startswith(words)


def test_the_interval_is_the_one_that_the_worker_would_keep() -> None:
    facts = look(feed(item(1, date=None)), headers={"content-type": "text/xml"}, second=None)
    assert facts.interval is not None
    assert (facts.interval.seconds, "no validators" in facts.interval.reason) == (86_400, True)
    few = look(headers={"content-type": "text/xml"}, second=None)
    assert few.interval is not None
    assert (few.interval.seconds < 86_400, "some would be lost" in few.interval.reason) == (True, True)
    asked = look(max_age_s=7_200 * 3)
    assert asked.interval is not None
    assert (asked.interval.seconds, "max-age" in asked.interval.reason) == (21_600, True)


HUB = "https://hub.example/?a=1&b=2"
IN_XML = "<atom:link xmlns:atom='http://www.w3.org/2005/Atom' {}/>"


@pytest.mark.parametrize(
    ("facts", "hub"),
    [
        (look(headers=GOOD_HEADERS | {"link": f'<{URL}>; rel=self, <{HUB}>; rel="hub"'}), HUB),
        (look(headers=GOOD_HEADERS | {"link": f"<{HUB}>; rel=hub"}), HUB),
        (look(headers=GOOD_HEADERS | {"link": f'<{HUB}>; rel="hub-like"'}), None),
        (look(feed(IN_XML.format(f"rel='hub' href='{HUB.replace('&', '&amp;')}'"))), HUB),
        (look(feed(IN_XML.format(f'href="{HUB.replace("&", "&amp;")}" rel="hub"'))), HUB),
        (
            look(
                document("json", 1).replace(
                    b'"items"', b'"hubs":[{"type":"WebSub","url":"https://h.example/"}],"items"'
                )
            ),
            "https://h.example/",
        ),
        (look(), None),
    ],
)
def test_a_hub_is_found_in_header_and_document(facts: FeedFacts, hub: str | None) -> None:
    assert facts.hub == hub


def test_dates_tell_how_much_is_published() -> None:
    facts = look()
    assert facts.dates is not None
    assert (facts.dates.dated, facts.dates.newest) == (5, NOON - timedelta(hours=32))
    assert facts.dates.per_day is not None
