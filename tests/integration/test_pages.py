"""Full text: pages asked for, read, published; and all that sites do instead."""

from collections import Counter
from dataclasses import replace

import pytest
from tests.feed_server import Answer, rss
from tests.fetching import NOON
from tests.integration.desk import BODY, HTML, TEASER, TITLE, Desk, gzipped, item, page, relations, robots, wall

from tieup.articles.settings import ArticleSettings, FullText
from tieup.feeds.registry import feed_from_url, feeds_to_records, poll_now_record
from tieup.log.topics import DEAD_LETTERS, FETCH_REQUESTS


async def test_the_page_of_a_short_entry_is_its_articles_next_version(desk: Desk) -> None:
    desk.served.pages["/news/1"] = page(BODY, BODY)
    await desk.poll(item())
    first, second = await desk.versions()
    assert (first.version, first.text, first.from_page) == (1, TEASER, False)
    assert (second.id, second.version, second.title, second.changed) == (first.id, 2, TITLE, ("text",))
    assert second.from_page
    assert "CATL" in second.text
    assert "Home Cars" not in second.text
    before, after = [{party.name for tie in one.relations for party in tie.parties} for one in await relations(desk)]
    assert (before, after) == ({"Ford", "Xiaomi"}, {"Ford", "Xiaomi", "CATL"})
    assert desk.service.pages() == {"read": 1}
    (asked,) = desk.asked("/news/1")
    assert asked.headers["user-agent"].startswith("tieup/")
    assert not {"cookie", "referer"} & set(asked.headers)

    await desk.poll(item())
    assert len(await desk.versions()) == 2, "the entry is as it was"
    assert len(desk.asked("/news/1")) == 1
    assert len(desk.asked("/robots.txt")) == 1


async def test_the_setting_says_whose_pages_are_read(desk: Desk) -> None:
    dull = item("Ford shows a new van", "It has two doors and a sliding one on its right side.")
    desk.served.pages["/news/1"] = page(
        "Ford shows a new van. It has two doors and a sliding one on its right side. " * 4
    )
    await desk.poll(dull)
    assert desk.asked("/news/1") == [], "no word of a tie"
    desk.service.articles_as = ArticleSettings(full_text=FullText.ALWAYS)
    await desk.poll(dull.replace("two doors", "2 doors"))
    assert [one.from_page for one in await desk.versions()] == [False, False, True]
    desk.service.articles_as = ArticleSettings(full_text=FullText.NEVER)
    await desk.poll(dull.replace("two doors", "four doors"))
    assert len(desk.asked("/news/1")) == 1
    last = (await desk.versions())[-1]
    assert (last.version, last.from_page) == (4, False), "pages are not read any more: an edit waits for none"


async def test_a_first_poll_asks_for_no_page(desk: Desk) -> None:
    other = feed_from_url(desk.served.url("/other.xml", "news.example"), NOON)
    desk.served.pages |= {"/other.xml": Answer(rss(item())), "/news/1": page(BODY)}
    await desk.service.append(feeds_to_records([other]))
    await desk.service.run()
    assert [one.backfill for one in await desk.versions()] == [True]
    assert desk.asked("/news/1") == []


def moved(to: str) -> Answer:
    return Answer(status=302, headers=(("Location", to),))


ENDLESS = "# nothing is said here for long\n" * 20_000 + "User-agent: *\nDisallow: /\n"
ROBOTS = {
    "denies": (robots("User-agent: *\nDisallow: /news/"), False),
    "allows-us": (robots("User-agent: *\nDisallow: /\n\nUser-agent: TieUp\nAllow: /news/"), True),
    "denies-us": (robots("User-agent: tieup\nDisallow: /*s/*$\n\nUser-agent: *\nAllow: /"), False),
    "denies-others": (robots("User-agent: *\nDisallow: /sport/"), True),
    "byte-order-mark": (robots("\ufeffUser-agent: *\nDisallow: /"), False),
    "html": (robots("<html>a page for every address</html>"), True),
    "missing": (Answer(status=404), True),
    "forbidden": (Answer(status=403), True),
    "said-too-late": (robots(ENDLESS), True),
    "said-in-time": (robots("User-agent: *\nDisallow: /\n#", repeat=10_000), False),
    "moved": (moved("/deny.txt"), False),
    "moved-in-circles": (moved("/robots.txt"), True),
}


async def test_robots_txt_is_obeyed(desk: Desk) -> None:
    for name, (answer, _) in ROBOTS.items():
        desk.serve(name, page(BODY), answer)
    desk.served.pages["/deny.txt"] = robots("User-agent: *\nDisallow: /")
    await desk.poll(*(item(link=desk.link(name)) for name in ROBOTS))
    assert {name: bool(desk.asked(f"/news/{name}")) for name in ROBOTS} == {
        name: ok for name, (_, ok) in ROBOTS.items()
    }
    assert {one.url for one in await desk.versions() if one.from_page} == {
        desk.link(name) for name, (_, ok) in ROBOTS.items() if ok
    }
    assert desk.service.pages() == {"read": 7, "disallowed by robots.txt": 5}
    assert await desk.wants() == {}


@pytest.mark.parametrize("away", [Answer(status=503), Answer(raw=b"")], ids=["503", "torn"])
async def test_a_robots_txt_that_cannot_be_had_allows_nothing_for_now(desk: Desk, away: Answer) -> None:
    desk.served.pages |= {"/robots.txt": away, "/news/1": page(BODY)}
    await desk.poll(item())
    assert desk.asked("/news/1") == []
    (want,) = (await desk.wants()).values()
    assert want.tries == 1
    desk.served.pages["/robots.txt"] = Answer(status=404)
    await desk.later(seconds=119)
    assert desk.asked("/news/1") == []
    await desk.later(seconds=1)
    assert [one.version for one in await desk.versions()] == [1, 2]
    assert await desk.wants() == {}


async def test_a_page_elsewhere_is_read_by_the_owner_of_its_host(desk: Desk) -> None:
    """With many partitions feed and page belong to different tasks; the version comes from the feed's."""
    link = desk.served.url("/news/1", "pages.example")
    desk.served.pages["/news/1"] = page(BODY)
    await desk.poll(item(link=link))
    first, second = await desk.versions()
    assert (second.version, second.feed_domain, second.domain) == (2, "news.example", "pages.example")
    placed = [(one.partition, b'"page-read"' in (one.value or b"")) for one in await desk.service.read(FETCH_REQUESTS)]
    assert len({partition for partition, _ in placed}) == 2, "the test needs two owners"
    assert first.url == link


NO_VERSION = {
    "missing": (Answer(b"gone", 404, HTML), "refused"),
    "pdf": (Answer(b"%PDF-1.7 " * 500, headers=(("Content-Type", "application/pdf"),)), "not HTML"),
    "untyped": (Answer(page(BODY).body, headers=()), "not HTML"),
    "large": (Answer(b"<p>x</p>" * 100_000, headers=HTML, repeat=100), "no text"),
    "bomb": (gzipped(100), "no text"),
    "empty": (Answer(b"", headers=HTML), "no text"),
    "nested": (Answer(b"<div>" * 200_000, headers=HTML), "no text"),
    "circle": (moved("/news/circle"), "refused"),
    "private": (moved("http://10.0.0.1/news/1"), "no answer"),
    "metadata": (moved("http://169.254.169.254/latest"), "no answer"),
    "loopback": (moved("http://[::1]/news/1"), "no answer"),
    "file": (moved("file:///etc/passwd"), "no answer"),
    "noarchive": (page(BODY, head="<meta name='robots' content='index, NOARCHIVE'>"), "withheld by its robots tag"),
    "consent": (
        wall("Before you continue", "We use cookies and data to maintain our services. "),
        "not about the article",
    ),
    "login": (wall(TITLE, "Log in or subscribe to go on reading on all devices. "), "not about the article"),
    "script": (wall("Just a moment", "Enable JavaScript and cookies to continue. "), "not about the article"),
    "soft-404": (wall("Page not found", "The page that you look for is not here. "), "not about the article"),
    "slow": (Answer(page(BODY).body, headers=HTML, trickle_s=0.2), "no answer"),
}


async def test_whatever_a_page_is_instead_costs_its_bound_and_gives_no_version(desk: Desk) -> None:
    desk.service.settings = replace(desk.service.settings, total_s=1.5)
    for name, (answer, _) in NO_VERSION.items():
        desk.serve(name, answer)
    await desk.poll(*(item(link=desk.link(name)) for name in NO_VERSION))
    assert {one.version for one in await desk.versions()} == {1}
    assert desk.service.pages() == Counter(result for _, result in NO_VERSION.values())
    assert await desk.service.read(DEAD_LETTERS) == []
    for _ in range(3):
        await desk.later(seconds=600)
    assert {one.version for one in await desk.versions()} == {1}
    assert await desk.wants() == {}
    assert max(len(desk.asked(f"/news/{name}")) for name in NO_VERSION) <= 6


async def test_each_host_on_the_way_has_its_own_word(desk: Desk) -> None:
    target = desk.served.url("/news/2", "pages.example")
    desk.served.pages |= {"/news/1": moved(target), "/news/2": page(BODY)}
    desk.served.pages[desk.served.url("/robots.txt", "pages.example")] = robots("User-agent: *\nDisallow: /")
    await desk.poll(item())
    assert len(desk.asked("/news/1")) == 1
    assert desk.asked("/news/2") == []
    assert desk.service.pages() == {"disallowed by robots.txt": 1}


async def test_a_host_that_asks_for_quiet_is_left_alone_by_pages_and_polls(desk: Desk) -> None:
    desk.served.pages["/news/1"] = Answer(b"", 503, (("Retry-After", "7200"),))
    await desk.poll(item())
    seen = len(desk.served.seen)
    desk.served.pages["/news/1"] = page(BODY)
    await desk.service.append([poll_now_record(desk.feed, "test", desk.service.now)])
    await desk.later(seconds=7_199)
    assert len(desk.served.seen) == seen
    await desk.later(seconds=1)
    assert [one.version for one in await desk.versions()] == [1, 2]
