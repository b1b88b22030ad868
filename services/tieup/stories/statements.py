"""From an article's relations to what each of its stories remembers of it: one statement, its claims, its ties."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tieup.model.labels import Factuality, Focus, Milestone, SpeakerType, Stage, Stance, Target
from tieup.model.relation import ArticleRelations, Claim, Figure, Relation
from tieup.model.story import MAX_QUOTE_CHARS, MAX_QUOTE_WORDS, StoryArticle, StoryClaim, Tie
from tieup.stories.parties import MAX_NAME_CHARS, Companies, fold_name, story_parties

UNKNOWN: Final = "unknown"
MAX_TITLE_CHARS: Final = 300
MAX_URL_CHARS: Final = 4_096
MAX_FIGURES: Final = 20
MAX_TIES: Final = 50

_TARGET: Final = {
    Stage.TALKS: Target.TALKS,
    Stage.AGREED: Target.AGREEMENT,
    Stage.ACTIVE: Target.AGREEMENT,
    Stage.ENDED: Target.ENDING,
}
_WORD: Final = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Statement:
    """What one article version says of one story."""

    article: StoryArticle
    claims: tuple[StoryClaim, ...]


def by_weight(relations: Sequence[Relation]) -> list[int]:
    """Return the indices of the relations, the article's main one first: title, then most evidence, then order."""
    return sorted(range(len(relations)), key=lambda at: (not relations[at].in_title, -len(relations[at].evidence), at))


def statement(
    found: ArticleRelations, relations: Sequence[Relation], companies: Companies, duplicate_of: str | None
) -> Statement:
    """Return what the article says by these relations, all of one story, the main one first.

    The labels are those of the main relation; parties, milestones, figures and claims are those of all.
    """
    main = relations[0]
    asserting = next((one for one in relations if _asserts(one) and one.origin != UNKNOWN), main)
    article = StoryArticle(
        article_id=found.article_id,
        version=found.version,
        event_time=found.event_time,
        kind=main.kind,
        stage=main.stage,
        factuality=main.factuality,
        basis=main.basis,
        origin=asserting.origin[:MAX_NAME_CHARS],
        parties=story_parties([party for one in relations for party in one.parties], companies, year_of(found)),
        url=link(found),
        title=found.title[:MAX_TITLE_CHARS],
        publisher=found.publisher,
        language=found.language,
        published=found.published,
        binding=next((one.binding for one in relations if one.binding is not None), None),
        milestones=_milestones(relations),
        ended_as=next((one.ended_as for one in relations if one.ended_as is not None), None),
        venture=next((one.venture for one in relations if one.venture), None),
        via=_once([name for one in relations for name in one.via]),
        scope=_once([name for one in relations for name in one.scope]),
        figures=_figures(relations),
        confidence=round(max(one.confidence for one in relations), 2),
        backfill=found.backfill,
        duplicate_of=duplicate_of,
        independent=_asserts(asserting) and is_independent(asserting.origin, companies),
    )
    return Statement(article, _claims(found, relations))


def is_independent(origin: str, companies: Companies) -> bool:
    """Say whether an origin can corroborate: it is known and is no company speaking for itself."""
    return fold_name(origin) not in {"", UNKNOWN} and companies.find_by_name(origin) is None


def is_tie(relation: Relation, companies: Companies) -> bool:
    """Say whether the relation names at least two different parties."""
    return len(story_parties(relation.parties, companies)) > 1


def ties(found: ArticleRelations, companies: Companies) -> tuple[Tie, ...]:
    """Return the ties that the article recalls: its background relations."""
    return tuple(
        Tie(
            story_parties(one.parties, companies, year_of(found)),
            one.kind,
            one.stage,
            found.event_time,
            None,
            found.article_id,
            found.url,
        )
        for one in found.relations
        if one.focus is Focus.BACKGROUND and one.factuality is not Factuality.DENIED and is_tie(one, companies)
    )[:MAX_TIES]


def year_of(found: ArticleRelations) -> int | None:
    """Return the year in which the article speaks, None where it bears no date."""
    return found.event_time.year if found.published else None


def link(found: ArticleRelations) -> str | None:
    """Return the article's address, None where it is longer than 4,096 characters."""
    return found.url if found.url and len(found.url) <= MAX_URL_CHARS else None


def shorten(quote: str) -> str:
    """Return at most 25 words and 300 characters of a quote, cut at a word, an ellipsis where it was cut."""
    words = list(_WORD.finditer(quote))
    cut = quote if len(words) <= MAX_QUOTE_WORDS else quote[: words[MAX_QUOTE_WORDS - 1].end()] + "…"
    if len(cut) <= MAX_QUOTE_CHARS:
        return cut.strip()
    head, _, _ = cut[: MAX_QUOTE_CHARS - 1].rpartition(" ")
    return (head or cut[: MAX_QUOTE_CHARS - 1]).strip() + "…"


def _asserts(relation: Relation) -> bool:
    return relation.factuality is not Factuality.DENIED or any(
        claim.stance is Stance.ASSERTS and claim.speaker_type is not SpeakerType.PARTY for claim in relation.claims
    )


def _claims(found: ArticleRelations, relations: Sequence[Relation]) -> tuple[StoryClaim, ...]:
    claims = [_story_claim(found, claim) for one in relations for claim in one.claims if _can_stand(one, claim)]
    claims += [_implied(found, one) for one in relations if _needs_assertion(one)]
    return tuple(dict.fromkeys(claims))


def _can_stand(relation: Relation, claim: Claim) -> bool:
    """Where a party confirms, the relation is confirmed, so a party's assertion in a denied one is a misreading."""
    asserted = claim.speaker_type is SpeakerType.PARTY and claim.stance is Stance.ASSERTS
    return not (asserted and relation.factuality is Factuality.DENIED)


def _story_claim(found: ArticleRelations, claim: Claim) -> StoryClaim:
    return StoryClaim(
        speaker=claim.speaker[:MAX_NAME_CHARS],
        speaker_type=claim.speaker_type,
        stance=claim.stance,
        target=claim.target,
        quote=shorten(claim.span.quote),
        event_time=found.event_time,
        article_id=found.article_id,
        start=claim.span.start,
        company_id=claim.company_id,
        url=link(found),
        publisher=found.publisher,
        language=found.language,
    )


def _needs_assertion(relation: Relation) -> bool:
    spoken = any(claim.stance is not Stance.DECLINES_COMMENT for claim in relation.claims)
    return relation.factuality is not Factuality.DENIED and not spoken


def _implied(found: ArticleRelations, relation: Relation) -> StoryClaim:
    """Where nobody is quoted, the article itself asserts, in its origin's name if it credits one."""
    spoken = next((one for one in relation.evidence if one.label == "relation"), None)
    spoken = spoken or (relation.evidence[0] if relation.evidence else None)
    origin = relation.origin if relation.origin != UNKNOWN else found.publisher or UNKNOWN
    return StoryClaim(
        speaker=origin[:MAX_NAME_CHARS],
        speaker_type=SpeakerType.MEDIUM,
        stance=Stance.ASSERTS,
        target=_TARGET[relation.stage],
        quote=shorten(spoken.text if spoken else found.title),
        event_time=found.event_time,
        article_id=found.article_id,
        start=spoken.start if spoken else 0,
        url=link(found),
        publisher=found.publisher,
        language=found.language,
    )


def _milestones(relations: Sequence[Relation]) -> tuple[Milestone, ...]:
    stated = {one for relation in relations for one in relation.milestones}
    return tuple(one for one in Milestone if one in stated)


def _figures(relations: Sequence[Relation]) -> tuple[Figure, ...]:
    return tuple(dict.fromkeys(figure for one in relations for figure in one.figures))[:MAX_FIGURES]


def _once(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name[:MAX_NAME_CHARS] for name in names))[:MAX_FIGURES]
