"""Hosts that ask for rest get it, from polls, pages and hubs alike."""

import asyncio

from tests.feed_server import Answer, FeedServer
from tests.integration.polled import FINE, NOW, request, shell

from tieup.feeds.http import FetchShell
from tieup.feeds.hubs.callbacks import Callbacks
from tieup.feeds.hubs.websub import HubTerms
from tieup.feeds.settings import FetchSettings, WebSubSettings
from tieup.log.base import Act
from tieup.model.codec import decode
from tieup.model.hub import HubOutcome, HubRequest


async def test_who_waits_for_a_turn_while_a_host_asks_for_rest_asks_no_more(served: FeedServer) -> None:
    busy = Answer(status=503, headers=(("Retry-After", "600"),))
    served.pages |= {"/0": busy, "/1": Answer(FINE), "/2": Answer(FINE)}
    async with shell(per_host=1) as opened:
        polls = [opened.poll(request(served.url(f"/{number}"))) for number in range(3)]
        first, *others = await asyncio.gather(*polls)
    assert [seen.path for seen in served.seen] == ["/0"]
    assert (first.status, first.postponed) == (503, False)
    assert [(other.status, other.postponed) for other in others] == [(None, True)] * 2


async def test_a_redirect_into_a_host_that_asked_for_rest_is_not_followed(served: FeedServer) -> None:
    hosts = {"a.example": served.place, "b.example": served.place}
    served.pages |= {
        "/a": Answer(status=302, headers=(("Location", "http://b.example/b"),)),
        "/b": Answer(status=429),
    }
    async with shell(hosts=hosts) as opened:
        await opened.poll(request("http://b.example/b"))
        outcome = await opened.poll(request("http://a.example/a"))
    assert [seen.path for seen in served.seen] == ["/b", "/a"]
    assert outcome.error == (
        "http://a.example/a (at http://b.example/b): http://b.example/b: its host has asked to be left alone"
    )
    assert not outcome.postponed


async def test_a_hub_that_asks_for_rest_is_left_alone_by_polls_too(served: FeedServer) -> None:
    served.pages["/hub"] = Answer(status=429, headers=(("Retry-After", "600"),))
    settings = FetchSettings(allow_private=True)
    terms = HubTerms(Callbacks("k" * 43, "https://tieup.example"), WebSubSettings(), settings)
    asking = HubRequest("0" * 32, "127.0.0.1", "subscribe", served.url("/hub"), served.url("/feed"))
    opened = FetchShell(settings, lambda: NOW, hubs=terms)
    try:
        answered = decode(HubOutcome, await opened.perform(Act("hub", asking)), "here")
        polled = await opened.poll(request(served.url("/feed")))
    finally:
        await opened.close()
    assert (answered.status, answered.retry_after_s, polled.postponed) == (429, 600, True)
    assert [seen.path for seen in served.seen] == ["/hub"]
