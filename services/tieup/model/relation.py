"""What one article states: its relations, who claims what, and the evidence for every label."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tieup.model.labels import (
    Basis,
    EndedAs,
    Factuality,
    FigureRole,
    Focus,
    Kind,
    Milestone,
    Role,
    SpeakerType,
    Stage,
    Stance,
    Target,
)


class Part(StrEnum):
    """Which part of the article a span lies in."""

    TITLE = "title"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Span:
    """An exact stretch of the article: `quote == part[start:end]`, offsets in Unicode code points, end exclusive."""

    part: Part
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """The span that led to a label.

    `label` is party, kind, stage, factuality, focus, binding, milestone, ended_as, origin, figure or relation (its
    sentence).
    """

    label: str
    part: Part
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Party:
    """A contracting company as the article names it; `id` is its gazetteer id or None where the gazetteer lacks it."""

    name: str
    id: str | None = None
    role: Role | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """Who says what about a relation.

    `speaker` is a name, or "anonymous"; `company_id` is set where the speaker is a known company.
    """

    speaker: str
    speaker_type: SpeakerType
    stance: Stance
    target: Target
    span: Span
    company_id: str | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of the deal.

    `value` is a plain decimal as a string (no float noise), `unit` is %, an ISO currency, vehicles, GWh or year;
    `owner` is the party it belongs to.
    """

    role: FigureRole
    value: str
    unit: str
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class JudgementConfidences:
    """How likely each judgement on a relation is right, between 0 and 1.

    `relation`: that these companies are tied so; the others, if they are: its kind, stage and factuality.
    """

    relation: float
    kind: float
    stage: float
    factuality: float


@dataclass(frozen=True, slots=True)
class Relation:
    """One agreement, planned or real, between two or more companies that the article states.

    `confidence`, between 0 and 1 with two digits, is how likely parties, kind, stage and factuality are all right;
    `confidences` is that of each judgement (None in records of older versions). `origin` is the source that the
    article credits, the publisher on own reporting, a party on its own release, or "unknown". `binding` is None where
    not said.
    """

    parties: tuple[Party, ...]
    kind: Kind
    stage: Stage
    factuality: Factuality
    basis: Basis
    focus: Focus
    binding: bool | None = None
    milestones: tuple[Milestone, ...] = ()
    ended_as: EndedAs | None = None
    venture: str | None = None
    via: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    claims: tuple[Claim, ...] = ()
    origin: str = "unknown"
    evidence: tuple[Evidence, ...] = ()
    confidence: float = 1.0
    in_title: bool = False
    confidences: JudgementConfidences | None = None


@dataclass(frozen=True, slots=True)
class Signature:
    """The near-duplicate signature of an article's text; `algorithm` names the version, since signatures of two
    versions cannot be compared.

    `bands` are LSH band hashes for retrieval, `shingles` the hashes that containment is measured on (sorted), both as
    unsigned 64-bit integers in hex.
    """

    algorithm: str
    bands: tuple[str, ...]
    shingles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ArticleRelations:
    """All that one article version states (topic relations, key = article id).

    Published for every article with a relation, and for version ≥ 2 always. `excerpt`: the version is shorter than
    another text of the article, so a relation that it does not state is not withdrawn.
    """

    article_id: str
    version: int
    title: str
    observed_at: datetime
    event_time: datetime
    relations: tuple[Relation, ...]
    signature: Signature
    url: str | None = None
    publisher: str | None = None
    domain: str | None = None
    language: str | None = None
    published: datetime | None = None
    backfill: bool = False
    extractor: str = "1"
    excerpt: bool = False
