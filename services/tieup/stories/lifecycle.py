"""The state of a story: a pure fold of what its articles say, in order of their event time.

The same articles give the same labels, in whatever order they came. Stage, factuality and basis follow the table in
`precedence`; the other labels follow the rules at each function below.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tieup.model.labels import Basis, EndedAs, Factuality, Kind, Milestone, SpeakerType, Stage, Stance
from tieup.model.relation import Figure
from tieup.model.story import PartyPosition, StoryArticle, StoryClaim, StoryParty
from tieup.stories.copies import originals
from tieup.stories.origins import source_key
from tieup.stories.precedence import RANK, Head, Word, move, opening
from tieup.stories.stances import denies_end, is_contested, positions, speaker_key

MAX_NAMES = 20


@dataclass(frozen=True, slots=True)
class Labels:
    """A story's labels: all that can change in it. `origins` are the independent ones, in order of appearance."""

    parties: tuple[StoryParty, ...]
    kind: Kind
    stage: Stage
    factuality: Factuality
    basis: Basis
    contested: bool
    binding: bool | None
    milestones: tuple[Milestone, ...]
    ended_as: EndedAs | None
    venture: str | None
    via: tuple[str, ...]
    scope: tuple[str, ...]
    figures: tuple[Figure, ...]
    origins: tuple[str, ...]
    languages: tuple[str, ...]
    stance_by_party: tuple[PartyPosition, ...]
    confidence: float


def in_order(articles: Iterable[StoryArticle]) -> tuple[StoryArticle, ...]:
    """Return the articles by event time, then id; of those that copy one another the first is the original, whichever
    came first.
    """
    said = sorted(articles, key=lambda article: (article.event_time, article.article_id))
    copied = originals({article.article_id: article.duplicate_of for article in said})
    return tuple(
        article
        if article.duplicate_of == copied.get(article.article_id)
        else replace(article, duplicate_of=copied.get(article.article_id))
        for article in said
    )


def claims_in_order(claims: Iterable[StoryClaim]) -> tuple[StoryClaim, ...]:
    """Return the claims by event time, article and place in its text."""
    return tuple(
        sorted(
            claims,
            key=lambda claim: (
                claim.event_time,
                claim.article_id,
                claim.start,
                claim.speaker,
                claim.stance,
                claim.target,
            ),
        )
    )


def fold(articles: Iterable[StoryArticle], claims: Iterable[StoryClaim]) -> Labels:
    """Return the labels that these articles and their claims give; there is at least one article."""
    said = in_order(articles)
    spoken = claims_in_order(claims)
    head = _head(said, spoken)
    own = _originals(said)
    parties, via = _parties(own)
    return Labels(
        parties=parties,
        kind=_kind(own),
        stage=head.stage,
        factuality=head.factuality,
        basis=head.basis,
        contested=is_contested(spoken, _settled_at(said, head)),
        binding=_binding(own),
        milestones=_milestones(own),
        ended_as=_ended_as(own) if head.stage is Stage.ENDED else None,
        venture=next((article.venture for article in said if article.venture), None),
        via=via,
        scope=_unique(name for article in said for name in article.scope),
        figures=_figures(own),
        origins=independent_origins(said),
        languages=tuple(sorted({article.language for article in said if article.language})),
        stance_by_party=positions(parties, spoken),
        confidence=max(article.confidence for article in said),
    )


def _originals(articles: Sequence[StoryArticle]) -> Sequence[StoryArticle]:
    """Those that copy none of the others: a copy, often cut short, can add a word on the state, but no detail."""
    ids = {article.article_id for article in articles}
    return [article for article in articles if article.duplicate_of not in ids] or articles


def word(article: StoryArticle, claims: Sequence[StoryClaim]) -> Word:
    """Return what the article says of the state, with the parties it quotes."""
    own = [claim for claim in claims if claim.speaker_type is SpeakerType.PARTY]
    ends = [claim for claim in own if denies_end(claim)]
    return Word(
        stage=article.stage,
        factuality=article.factuality,
        basis=article.basis,
        at=article.event_time,
        asserters=_unique(speaker_key(claim) for claim in own if claim.stance is Stance.ASSERTS or claim in ends),
        deniers=_unique(speaker_key(claim) for claim in own if claim.stance is Stance.DENIES and claim not in ends),
        denies_end=bool(ends),
    )


def independent_origins(articles: Iterable[StoryArticle]) -> tuple[str, ...]:
    """Return the independent origins, each once, in order of the articles."""
    found: dict[str, str] = {}
    for article in articles:
        if article.corroborates:
            found.setdefault(source_key(article.origin), article.origin)
    return tuple(found.values())


def _head(articles: Sequence[StoryArticle], claims: Sequence[StoryClaim]) -> Head:
    quoted: dict[str, list[StoryClaim]] = {}
    for claim in claims:
        quoted.setdefault(claim.article_id, []).append(claim)
    words = [word(article, quoted.get(article.article_id, ())) for article in articles]
    head = opening(words[0])
    for one in words[1:]:
        head = move(head, one)
    return head


def _is_sure(article: StoryArticle) -> bool:
    return article.factuality is Factuality.CONFIRMED


def _kind(articles: Sequence[StoryArticle]) -> Kind:
    """A specific kind replaces `alliance`; else only a confirming article replaces the kind that a report gave."""
    head = articles[0]
    for article in articles[1:]:
        if article.kind is head.kind or article.kind is Kind.ALLIANCE:
            continue
        if head.kind is Kind.ALLIANCE or (_is_sure(article) and not _is_sure(head)):
            head = article
    return head.kind


def _binding(articles: Sequence[StoryArticle]) -> bool | None:
    """The newest word, but a report does not replace what was confirmed, and no memorandum a definitive contract."""
    head: StoryArticle | None = None
    for article in articles:
        if article.binding is None or (head is not None and head.binding and _is_sure(head)):
            continue
        if head is None or _is_sure(article) >= _is_sure(head):
            head = article
    return None if head is None else head.binding


def _milestones(articles: Sequence[StoryArticle]) -> tuple[Milestone, ...]:
    """All that were stated and not denied, in the order of the label guide."""
    stated = {one for article in articles if article.factuality is not Factuality.DENIED for one in article.milestones}
    return tuple(one for one in Milestone if one in stated)


def _ended_as(articles: Sequence[StoryArticle]) -> EndedAs | None:
    """The first word on the best basis since the last that is no end; talks cannot fail where a deal was agreed."""
    running = [at for at, one in enumerate(articles) if one.stage is not Stage.ENDED]
    last = running[-1] if running and any(one.stage is Stage.ENDED for one in articles[running[-1] :]) else -1
    agreed = any(one.stage in {Stage.AGREED, Stage.ACTIVE} for one in articles)
    stated = [one for one in articles[last + 1 :] if one.stage is Stage.ENDED and one.ended_as is not None]
    fitting = [one for one in stated if not (agreed and one.ended_as is EndedAs.TALKS_FAILED)] or stated
    best = max(fitting, key=lambda one: RANK[one.basis], default=None)
    return None if best is None else best.ended_as


def _figures(articles: Sequence[StoryArticle]) -> tuple[Figure, ...]:
    """The newest figure of each role, owner and unit, but a report does not replace what was confirmed; the same number
    again with or without its owner is the same figure.
    """
    found: dict[tuple[str, str, str], tuple[Figure, bool]] = {}
    for article in articles:
        for figure in article.figures:
            key = (figure.role, figure.owner or "", figure.unit)
            if any(_is_same(figure, known) for known, _ in found.values()):
                continue
            if key not in found or _is_sure(article) >= found[key][1]:
                found[key] = (figure, _is_sure(article))
    return tuple(found[key][0] for key in sorted(found))[:MAX_NAMES]


def _is_same(one: Figure, other: Figure) -> bool:
    alike = (one.role, one.value, one.unit) == (other.role, other.value, other.unit)
    return alike and (one.owner is None or other.owner is None) and one.owner != other.owner


def _parties(articles: Sequence[StoryArticle]) -> tuple[tuple[StoryParty, ...], tuple[str, ...]]:
    """All parties in order of appearance; of one group's companies the first named, unless an article names both."""
    found: dict[str, StoryParty] = {}
    via: list[str] = []
    for article in articles:
        named = {party.key for party in article.parties}
        for party in article.parties:
            relatives = [one for one in found.values() if one.group == party.group and one.key != party.key]
            if party.key in found:
                known = found[party.key]
                found[party.key] = (
                    known if known.role else StoryParty(known.key, known.name, known.id, party.role, known.group)
                )
            elif relatives and not any(one.key in named for one in relatives):
                via.append(party.name)
            else:
                found[party.key] = party
        via.extend(article.via)
    return tuple(found.values())[:MAX_NAMES], _unique(via)


def _settled_at(articles: Sequence[StoryArticle], head: Head) -> datetime | None:
    """The last contract, or confirmation by an authority or another document: what was denied before is settled."""
    times = [article.event_time for article in articles if _is_sure(article) and _settles(article, head)]
    return times[-1] if times else None


def _settles(article: StoryArticle, head: Head) -> bool:
    """A contract that is only narrated must be a definitive one, and the story must be confirmed."""
    if RANK[article.basis] > RANK[Basis.PARTY]:
        return True
    if article.stage not in {Stage.AGREED, Stage.ACTIVE}:
        return False
    if RANK[article.basis] == RANK[Basis.PARTY]:
        return article.binding is not False
    return article.binding is True and head.factuality is Factuality.CONFIRMED


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))[:MAX_NAMES]
