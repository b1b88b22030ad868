"""A crash between a site's answer and the commit: the request is repeated, its effect is not.

The repeat of a first request is unconditional too: the validators were lost with the answer. That is the one case in
which a feed is asked without them more than once.
"""

import asyncio
from pathlib import Path

import pytest
from tests.feed_server import CONTENT_TYPES, Page, document, feed_server
from tests.fetching import NOON, Fetching

from tieup.feeds.http import FetchShell
from tieup.feeds.registry import feed_from_url, feeds_to_records
from tieup.log.base import Act


@pytest.mark.parametrize("kind", sorted(CONTENT_TYPES))
async def test_the_request_is_repeated_and_its_effect_is_not(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Fetching(tmp_path / "log.db")
    page = Page(document(kind, 2, 1), '"e"', None, (("Content-Type", CONTENT_TYPES[kind]),))
    async with feed_server({"/feed.xml": page}) as served:
        await service.append(feeds_to_records([feed_from_url(served.url(), NOON)]))
        await crash_after_the_answer(service, monkeypatch)
        assert (await service.articles(), await service.states()) == ([], {})
        await service.run()
        assert [seen.conditional for seen in served.seen] == [False, False]

        service.now = next(iter((await service.states()).values())).next_poll_at
        await crash_after_the_answer(service, monkeypatch)
        await service.run()
        await service.run()
    assert [seen.headers.get("if-none-match") for seen in served.seen] == [None, None, '"e"', '"e"']
    assert len(await service.articles()) == 2


async def crash_after_the_answer(service: Fetching, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run until the answer is there, and end before it is taken in."""
    answered = asyncio.Event()
    perform = FetchShell.perform

    async def crashing(shell: FetchShell, act: Act) -> bytes:
        await perform(shell, act)
        answered.set()
        return await asyncio.Future()

    with monkeypatch.context() as patched:
        patched.setattr(FetchShell, "perform", crashing)
        running = asyncio.create_task(service.run())
        await answered.wait()
        running.cancel()
        await asyncio.wait([running])
