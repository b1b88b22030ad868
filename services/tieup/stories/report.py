"""From a story and what changed in it to the event that tells a subscriber."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from tieup.events.headline import Headlines
from tieup.events.parties import event_parties
from tieup.model.labels import Basis, EventType
from tieup.model.relation import ArticleRelations
from tieup.model.story import (
    MAX_EVENT_ARTICLES,
    MAX_EVENT_CLAIMS,
    Cause,
    Correction,
    EventChange,
    Headline,
    Story,
    StoryArticle,
    StoryClaim,
    StoryEvent,
    StoryMoment,
    Tie,
)
from tieup.stories.parties import Companies
from tieup.stories.precedence import RANK
from tieup.stories.stances import speaker_key
from tieup.stories.statements import MAX_TITLE_CHARS, link

MAX_MOMENTS: Final = 50


@dataclass(frozen=True, slots=True)
class Occasion:
    """What brought an event about: an article version, or the operator's correction of what articles gave."""

    cause: Cause
    occurred_at: datetime
    observed_at: datetime
    published_at: datetime | None = None
    backfill: bool = False
    correction_id: str | None = None


@dataclass(frozen=True, slots=True)
class Reporter:
    """Writes events: the gazetteer and the wording it needs, and the versions it signs them with."""

    companies: Companies
    headlines: Headlines
    code_version: str
    data_version: str

    def event(
        self,
        story: Story,
        kind: EventType,
        changes: Sequence[EventChange],
        occasion: Occasion,
        previous_ties: tuple[Tie, ...],
    ) -> StoryEvent:
        """Return the event of a story as it now is."""
        event = self._untitled(story, kind, changes, occasion, previous_ties)
        return replace(event, headline=self.headlines.write(event))

    def _untitled(
        self,
        story: Story,
        kind: EventType,
        changes: Sequence[EventChange],
        occasion: Occasion,
        previous_ties: tuple[Tie, ...],
    ) -> StoryEvent:
        return StoryEvent(
            story_id=story.id,
            revision=story.revision,
            type=kind,
            headline=Headline("", ""),
            parties=event_parties(story.parties, self.companies),
            kind=story.kind,
            stage=story.stage,
            factuality=story.factuality,
            basis=story.basis,
            contested=story.contested,
            stance_by_party=story.stance_by_party,
            changes=tuple(changes),
            cause=occasion.cause,
            occurred_at=occasion.occurred_at,
            observed_at=occasion.observed_at,
            published_at=occasion.published_at,
            binding=story.binding,
            milestones=story.milestones,
            ended_as=story.ended_as,
            venture=story.venture,
            via=story.via,
            scope=story.scope,
            figures=story.figures,
            claims=newest_claims(story.claims, MAX_EVENT_CLAIMS),
            claim_count=len(story.claims),
            origins=story.origins,
            origin_count=len(story.origins),
            best_source=_best_source(story),
            primary_document=_primary_document(story),
            languages=story.languages,
            articles=tuple(_cause(article) for article in story.articles[-MAX_EVENT_ARTICLES:]),
            article_count=story.article_count,
            rewrite_count=story.rewrites,
            previous_ties=previous_ties,
            confidence=story.confidence,
            backfill=occasion.backfill,
            code_version=self.code_version,
            data_version=self.data_version,
            correction_id=occasion.correction_id,
            merged_into=story.merged_into,
            sources=story.sources,
        )


def with_moment(story: Story, event: StoryEvent) -> Story:
    """Return the story with the event's headline, and the event at the end of its timeline (at most 50)."""
    moment = StoryMoment(
        revision=event.revision,
        type=event.type,
        at=event.occurred_at,
        article_id=event.cause.article_id,
        stage=event.stage,
        factuality=event.factuality,
        contested=event.contested,
        headline_en=event.headline.en,
        headline_de=event.headline.de,
    )
    return replace(
        story,
        headline_en=event.headline.en,
        headline_de=event.headline.de,
        history=(*story.history, moment)[-MAX_MOMENTS:],
    )


def newest_claims(claims: Sequence[StoryClaim], limit: int) -> tuple[StoryClaim, ...]:
    """Return at most `limit` claims in their order: the newest of each speaker, stance and target, then the newest."""
    if len(claims) <= limit:
        return tuple(claims)
    last = {(speaker_key(claim), claim.stance, claim.target): at for at, claim in enumerate(claims)}
    kept = sorted(last.values(), reverse=True)
    others = sorted(set(range(len(claims))) - set(kept), reverse=True)
    return tuple(claims[at] for at in sorted([*kept, *others][:limit]))


def _best_source(story: Story) -> Cause | None:
    """The earliest article on the best basis of those that say what the story now shows."""
    agreeing = [one for one in story.articles if one.factuality is story.factuality and one.stage is story.stage]
    ranked: Iterable[StoryArticle] = agreeing or story.articles
    best = max(ranked, key=lambda one: (one.duplicate_of is None, RANK[one.basis]), default=None)
    return None if best is None else _cause(best)


def _primary_document(story: Story) -> Cause | None:
    document = next((one for one in story.articles if one.basis is Basis.DOCUMENT), None)
    return None if document is None else _cause(document)


def _cause(article: StoryArticle) -> Cause:
    return Cause(
        article_id=article.article_id,
        version=article.version,
        url=article.url,
        publisher=article.publisher,
        title=article.title,
        language=article.language,
        published_at=article.published,
    )


def article_occasion(found: ArticleRelations) -> Occasion:
    """Return the occasion that an article version is."""
    cause = Cause(
        article_id=found.article_id,
        version=found.version,
        url=link(found),
        publisher=found.publisher,
        title=found.title[:MAX_TITLE_CHARS],
        language=found.language,
        published_at=found.published,
    )
    return Occasion(cause, found.event_time, found.observed_at, found.published, found.backfill)


def correction_occasion(correction: Correction, article: StoryArticle) -> Occasion:
    """Return the occasion that an operator's correction is; the event points at this article of the story."""
    return Occasion(_cause(article), correction.at, correction.at, correction_id=correction.id)
