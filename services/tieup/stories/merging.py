"""Two stories that prove to be one: the articles of one go into the other, and what is left says where it leads."""

from dataclasses import replace
from typing import Final

from tieup.model.labels import EventType
from tieup.model.story import EventChange, Story, Tie
from tieup.stories.lifecycle import claims_in_order, in_order
from tieup.stories.report import Occasion, Reporter, with_moment
from tieup.stories.telling import Telling, fit

MAX_RETRACTED: Final = 200
MAX_SPLIT_FROM: Final = 20


def absorbed(into: Story, story: Story) -> Story:
    """Return the one story with the articles and claims of both; its labels are still those that it had before.

    What an article says of both counts as it is in `into`.
    """
    known = {one.article_id for one in into.articles}
    articles = [one for one in story.articles if one.article_id not in known]
    claims = [one for one in story.claims if one.article_id not in known]
    twice = [one for one in story.articles if one.article_id in known]
    return replace(
        into,
        articles=in_order([*into.articles, *articles]),
        claims=claims_in_order([*into.claims, *claims]),
        article_count=into.article_count + story.article_count - len(twice),
        rewrites=into.rewrites + story.rewrites - sum(one.rewrite for one in twice),
        retracted=tuple(dict.fromkeys((*into.retracted, *story.retracted)))[-MAX_RETRACTED:],
        split_from=tuple(dict.fromkeys((*into.split_from, *story.split_from)))[-MAX_SPLIT_FROM:],
    )


def redirected(story: Story, into_id: str, occasion: Occasion, ties: tuple[Tie, ...], reporter: Reporter) -> Telling:
    """Return what is left of the other: a tombstone that leads on, and the event that says so."""
    gone = replace(story, articles=(), claims=(), merged_into=into_id, revision=story.revision + 1)
    change = EventChange("merged_into", None, into_id)
    event = reporter.event(gone, EventType.MERGED, (change,), occasion, ties)
    return Telling(fit(with_moment(gone, event)), event)
