"""Pages of entries that are edited, seen twice, cut short by an end of the run, or forgotten."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.feed_server import Answer, Seen, rss
from tests.integration.desk import (
    BODY,
    DENIAL,
    HTML,
    TEASER,
    TITLE,
    Desk,
    item,
    page,
)

from tieup.articles.settings import ArticleSettings
from tieup.feeds.registry import poll_now_record
from tieup.log.base import NewRecord
from tieup.log.topics import FETCH_REQUESTS, PAGES


async def test_an_edit_of_an_article_with_a_page_is_told_at_once_and_then_with_its_page(desk: Desk) -> None:
    desk.served.pages["/news/1"] = page(BODY)
    await desk.poll(item())
    desk.served.pages["/news/1"] = page(DENIAL, BODY)
    await desk.poll(item("Xiaomi denies talks with Ford", "The two carmakers, it says, speak about nothing."))
    told, whole = (await desk.versions())[2:]
    assert (told.version, told.changed, told.excerpt, told.from_page) == (3, ("title", "text"), True, False)
    assert (whole.version, whole.changed, whole.excerpt, whole.from_page) == (4, ("text",), False, True)
    assert told.title == whole.title == "Xiaomi denies talks with Ford"
    assert whole.text.startswith("The two carmakers, it says, speak about nothing.\n")
    assert DENIAL.strip() in whole.text
    assert "CATL" in whole.text
    assert len(desk.asked("/news/1")) == 2


@pytest.mark.parametrize("away", [Answer(status=404), Answer(status=429, headers=(("Retry-After", "80000"),))])
async def test_an_edit_waits_for_no_page(desk: Desk, away: Answer) -> None:
    desk.served.pages["/news/1"] = page(BODY)
    await desk.poll(item())
    desk.served.pages["/news/1"] = away
    await desk.poll(item("Xiaomi denies talks with Ford"))
    assert [(one.version, one.excerpt, one.text) for one in (await desk.versions())[2:]] == [(3, True, TEASER)]


async def test_of_two_edits_while_a_page_is_away_the_last_one_gets_it(desk: Desk) -> None:
    desk.served.pages["/news/1"] = page(BODY)
    await desk.poll(item())
    desk.served.pages["/news/1"] = Answer(status=500)
    desk.service.articles_as = ArticleSettings(page_retry_s=8_000)
    await desk.poll(item("Xiaomi denies talks with Ford"))
    desk.served.pages["/news/1"] = page(BODY, DENIAL)
    await desk.poll(item("Xiaomi and Ford deny talks"))
    await desk.later(hours=3)
    assert [(one.version, one.title, one.from_page) for one in (await desk.versions())[2:]] == [
        (3, "Xiaomi denies talks with Ford", False),
        (4, "Xiaomi and Ford deny talks", False),
        (5, "Xiaomi and Ford deny talks", True),
    ]
    assert len(desk.asked("/news/1")) == 3


async def test_an_entry_that_becomes_whole_needs_no_page(desk: Desk) -> None:
    desk.served.pages["/news/1"] = page(BODY)
    await desk.poll(item())
    await desk.poll(item(text=BODY + DENIAL + "More is not known. " * 100))
    assert [(one.version, one.excerpt, one.from_page) for one in (await desk.versions())[2:]] == [(3, False, False)]
    assert len(desk.asked("/news/1")) == 1


async def test_a_page_that_says_nothing_new_is_no_version(desk: Desk) -> None:
    desk.served.pages["/news/1"] = page(BODY)
    await desk.poll(item(text="Ford and Xiaomi are in talks on a joint venture …"))
    await desk.poll(item(text="The two carmakers speak about building electric cars together [...]"))
    assert len(desk.asked("/news/1")) == 2
    assert [(one.version, one.excerpt) for one in await desk.versions()] == [(1, False), (2, False), (3, True)]


async def test_requests_and_answers_that_come_twice_change_nothing(desk: Desk) -> None:
    desk.served.pages["/news/1"] = page(BODY)
    await desk.poll(item())
    again = [
        NewRecord(FETCH_REQUESTS, one.key or b"", one.value, one.timestamp, partition=one.partition)
        for one in await desk.service.read(FETCH_REQUESTS)
        if b'"reason":"page' in (one.value or b"")
    ]
    assert len(again) == 2
    before = await desk.service.read(PAGES)
    await desk.service.append(again * 2)
    await desk.service.run()
    assert [one.version for one in await desk.versions()] == [1, 2]
    assert await desk.service.read(PAGES) == before


async def test_a_run_cut_short_while_a_page_is_read_reads_it_again(desk: Desk) -> None:
    asked = asyncio.Event()

    def hang(seen: Seen) -> Answer:
        asked.set()
        return Answer(page(BODY).body, headers=HTML, wait_s=60)

    desk.served.pages["/news/1"] = hang
    desk.service.settings = replace(desk.service.settings, read_s=60.0)
    running = asyncio.create_task(desk.poll(item()))
    await asyncio.wait_for(asked.wait(), 30)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert len(await desk.wants()) == 1
    desk.served.pages["/news/1"] = page(BODY)
    await desk.service.run()
    assert [one.version for one in await desk.versions()] == [1, 2]
    assert await desk.wants() == {}


async def test_versions_with_pages_keep_to_the_bound(desk: Desk) -> None:
    desk.service.settings = replace(desk.service.settings, max_versions=3)
    for number in range(1, 5):
        desk.served.pages["/news/1"] = page(BODY + f"Update {number}: nothing else is known. ")
        await desk.poll(item(f"{TITLE}, part {number}"))
    assert [one.version for one in await desk.versions()] == [1, 2, 3]


async def test_what_a_feed_forgets_is_forgotten_of_its_pages(desk: Desk) -> None:
    desk.service.settings = replace(desk.service.settings, max_entries=2, max_seen=2)
    desk.served.pages["/news/1"] = page(BODY)
    await desk.poll(item())
    assert [one.value is None for one in await desk.service.read(PAGES)] == [False]
    fresh = [item(f"Ford shows car {number}", "It is blue.", f"/cars/{number}0") for number in (1, 2)]
    desk.served.pages["/feed.xml"] = Answer(rss(*fresh))
    desk.service.now += timedelta(hours=2)
    await desk.service.append([poll_now_record(desk.feed, "test", desk.service.now)])
    await desk.service.run()
    assert (await desk.service.read(PAGES))[-1].value is None
