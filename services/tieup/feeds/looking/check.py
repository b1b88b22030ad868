"""Looking at one feed: asked twice at most, in turn, and reported on."""

from dataclasses import dataclass
from typing import Protocol

from tieup.articles.urls import registrable_domain
from tieup.feeds.asking import Answer
from tieup.feeds.looking.checkup import FeedFacts, feed_facts
from tieup.feeds.looking.faults import Problem, problems_of
from tieup.feeds.poll import PollRequest
from tieup.feeds.registry import feed_id, feed_url
from tieup.feeds.settings import FetchSettings
from tieup.model.feed import FetchOutcome


class Asks(Protocol):
    """Who asks for feeds: the fetching shell."""

    async def visit(self, request: PollRequest) -> tuple[Answer, FetchOutcome]:
        """Poll, and hand the answer out beside what was read in it. Raises FetchError where no answer came."""

    async def poll(self, request: PollRequest) -> FetchOutcome:
        """Ask for a feed and read the answer."""


@dataclass(frozen=True, slots=True)
class FeedReport:
    """What one look at a feed tells, and what is wrong with it."""

    facts: FeedFacts
    problems: tuple[Problem, ...]

    @property
    def broken(self) -> bool:
        """Whether nothing can be read from it."""
        return any(problem.breaks for problem in self.problems)


async def check(shell: Asks, url: str, settings: FetchSettings) -> FeedReport:
    """Ask for a feed, once more with its validators if it has any, and report.

    Raises BadFeed for what is no URL, FetchError if no answer came.
    """
    url = feed_url(url)
    request = PollRequest(feed_id(url), url, registrable_domain(url))
    answer, outcome = await shell.visit(request)
    second = None
    if outcome.entries is not None and (outcome.etag or outcome.last_modified):
        second = await shell.poll(
            PollRequest(
                *(request.feed_id, answer.url, request.domain),
                etag=outcome.etag,
                last_modified=outcome.last_modified,
                body_hash=outcome.body_hash,
            )
        )
    facts = feed_facts(url, answer, outcome, second, settings)
    return FeedReport(facts, problems_of(facts, outcome.observed_at, settings))
