"""One story and one article version: the story after it, and the event if it changed anything.

story, statement (None: no longer stated) ─▶ articles and claims replaced ─▶ fold ─▶ changes ─▶ story, event
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Final

from tieup.model.codec import encode
from tieup.model.relation import ArticleRelations
from tieup.model.story import Story, StoryArticle, StoryClaim, StoryEvent, StoryParty, Tie
from tieup.stories.changes import Step, changes, corroboration, event_type
from tieup.stories.lifecycle import Labels, claims_in_order, fold, in_order
from tieup.stories.origins import source_tree
from tieup.stories.report import Reporter, article_occasion, newest_claims, with_moment
from tieup.stories.statements import Statement

MAX_CLAIMS: Final = 200
MAX_ARTICLES: Final = 200
MAX_STORY_BYTES: Final = 900_000
_SURELY_SMALL: Final = 40  # articles and claims together, none of which can reach 20 kB
_LABELS: Final = tuple(field.name for field in fields(Labels))

Ties = Callable[[tuple[StoryParty, ...]], tuple[Tie, ...]]


@dataclass(frozen=True, slots=True)
class Telling:
    """The story after an article version, and the event, if it changed anything."""

    story: Story
    event: StoryEvent | None


def tell(
    story: Story | None, story_id: str, said: Statement | None, found: ArticleRelations, ties: Ties, reporter: Reporter
) -> Telling | None:
    """Return the story after this article version; None if it has nothing to do with the story.

    `said` is what the version says of the story, None where it states the deal no longer; it replaces what an older
    version said.
    """
    before = () if story is None else story.articles
    older = next((one for one in before if one.article_id == found.article_id), None)
    if said is None and older is None:
        return None
    articles, claims = _replaced(story, said, found.article_id)
    old = None if story is None else labels_of(story)
    new = fold(articles, claims) if articles else old
    if new is None:
        return None
    step = Step(
        old=old,
        new=new,
        withdrawn=said is None,
        left=bool(articles),
        restored=story is not None and story.withdrawn and bool(articles),
        silence=_silence(story, said),
        corroborated_at=story.corroborated_at if story else 0,
    )
    told = next_story(story, story_id, step, articles, claims)
    told = _counted(told, said, older)
    kind = event_type(step)
    if kind is None:
        return Telling(fit(_rewritten(told, step, said, older)), None)
    told = replace(told, revision=told.revision + 1)
    event = reporter.event(told, kind, changes(step), article_occasion(found), ties(told.parties))
    return Telling(fit(with_moment(told, event)), event)


def fit(story: Story) -> Story:
    """Return the story small enough for its topic (900 kB): the oldest claims and rewrites are let go."""
    if len(story.claims) + len(story.articles) <= _SURELY_SMALL:
        return story
    claims = newest_claims(story.claims, MAX_CLAIMS)
    articles = newest_articles(story.articles, MAX_ARTICLES)
    story = replace(story, claims=claims, articles=articles)
    while len(encode(story)) > MAX_STORY_BYTES:
        claims = newest_claims(story.claims, len(story.claims) // 2)
        articles = newest_articles(story.articles, max(len(story.articles) // 2, 1))
        story = replace(story, claims=claims, articles=articles, history=story.history[len(story.history) // 2 :])
    return story


def newest_articles(articles: Sequence[StoryArticle], limit: int) -> tuple[StoryArticle, ...]:
    """Return at most `limit` articles in their order: the first, then those that added something, then rewrites, the
    newest before the older.
    """
    if len(articles) <= limit:
        return tuple(articles)
    ranked = sorted(range(1, len(articles)), key=lambda at: (articles[at].rewrite, -at))
    return tuple(articles[at] for at in sorted([0, *ranked[: limit - 1]]))


def _replaced(
    story: Story | None, said: Statement | None, article_id: str
) -> tuple[tuple[StoryArticle, ...], tuple[StoryClaim, ...]]:
    articles = [one for one in (story.articles if story else ()) if one.article_id != article_id]
    claims = [one for one in (story.claims if story else ()) if one.article_id != article_id]
    if said is not None:
        articles.append(said.article)
        claims.extend(said.claims)
    return in_order(articles), claims_in_order(claims)


def next_story(
    story: Story | None,
    story_id: str,
    step: Step,
    articles: tuple[StoryArticle, ...],
    claims: tuple[StoryClaim, ...],
) -> Story:
    """Return the story with these articles and claims and the labels that follow from them; None: a new one."""
    labels = {name: getattr(step.new, name) for name in _LABELS}
    if story is None:
        first, last = articles[0].event_time, articles[-1].event_time
        story = Story(id=story_id, opened_at=first, updated_at=last, revision=0, **labels)
    return replace(
        story,
        **labels,
        opened_at=min(articles[0].event_time, story.opened_at) if articles else story.opened_at,
        updated_at=articles[-1].event_time if articles else story.updated_at,
        articles=articles,
        claims=claims,
        sources=source_tree(articles),
        corroborated_at=corroboration(step) or story.corroborated_at,
        withdrawn=not articles,
    )


def _counted(story: Story, said: Statement | None, older: StoryArticle | None) -> Story:
    added = (said is not None) - (older is not None)
    return replace(
        story,
        article_count=story.article_count + added,
        rewrites=story.rewrites - (older is not None and older.rewrite),
    )


def _rewritten(story: Story, step: Step, said: Statement | None, older: StoryArticle | None) -> Story:
    """Count an article that added nothing; one that brings a further origin is no rewrite, nor is an edit of one."""
    new_origin = step.old is not None and step.old.origins != step.new.origins
    if said is None or new_origin or (older is not None and not older.rewrite):
        return story
    articles = tuple(
        replace(one, rewrite=True) if one.article_id == said.article.article_id else one for one in story.articles
    )
    return replace(story, articles=articles, rewrites=story.rewrites + 1)


def labels_of(story: Story) -> Labels:
    """Return the labels that a story has."""
    return Labels(**{name: getattr(story, name) for name in _LABELS})


def _silence(story: Story | None, said: Statement | None) -> timedelta | None:
    """How long nothing was heard before this article, which is the newest; an undated one cannot tell."""
    if story is None or said is None or said.article.published is None:
        return None
    before = [one.event_time for one in story.articles if one.published and one.article_id != said.article.article_id]
    last = max(before, default=None)
    return None if last is None or said.article.event_time <= last else said.article.event_time - last
