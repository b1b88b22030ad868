"""The story: one deal across articles, languages and time; and its change, the event."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tieup.model.labels import (
    Basis,
    EndedAs,
    EventType,
    Factuality,
    Kind,
    Milestone,
    PartyStance,
    Role,
    SpeakerType,
    Stage,
    Stance,
    Target,
)
from tieup.model.relation import Figure, Signature

STORY_STATE_VERSION = 1
MAX_EVENT_CLAIMS = 50
MAX_EVENT_ARTICLES = 20
MAX_QUOTE_CHARS = 300
MAX_QUOTE_WORDS = 25


@dataclass(frozen=True, slots=True)
class StoryClaim:
    """A claim as a story remembers it: who, what, where and when; ordered by (event_time, article_id, start)."""

    speaker: str
    speaker_type: SpeakerType
    stance: Stance
    target: Target
    quote: str
    event_time: datetime
    article_id: str
    start: int
    company_id: str | None = None
    url: str | None = None
    publisher: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class StoryParty:
    """A party of a story: `key` is its gazetteer id, or its folded name where the gazetteer lacks it; `group` is the id
    of its ultimate parent, or its own key.
    """

    key: str
    name: str
    id: str | None = None
    role: Role | None = None
    group: str = ""


@dataclass(frozen=True, slots=True)
class StoryArticle:
    """What one article version says of the story: its labels, kept so that a new version replaces them and late
    articles fall into place.

    `rewrite` marks one that added nothing, `duplicate_of` names the article that it copies. `independent`: its origin
    is neither unknown nor a company.
    """

    article_id: str
    version: int
    event_time: datetime
    kind: Kind
    stage: Stage
    factuality: Factuality
    basis: Basis
    origin: str
    parties: tuple[StoryParty, ...]
    url: str | None = None
    title: str = ""
    publisher: str | None = None
    language: str | None = None
    published: datetime | None = None
    binding: bool | None = None
    milestones: tuple[Milestone, ...] = ()
    ended_as: EndedAs | None = None
    venture: str | None = None
    via: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    confidence: float = 1.0
    backfill: bool = False
    rewrite: bool = False
    duplicate_of: str | None = None
    independent: bool = False

    @property
    def corroborates(self) -> bool:
        """Whether its origin counts: a copy's never does."""
        return self.independent and self.duplicate_of is None


@dataclass(frozen=True, slots=True)
class PartyPosition:
    """Where one party stands, with the words, the time and the link."""

    party: str
    stance: PartyStance
    quote: str | None = None
    at: datetime | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """One source of a story: since when, by which article, and whom it cites (None: it broke the story on its own, or
    tells of nobody). `articles` counts its own; 0 where others only credit it. `independent` ones corroborate.
    """

    name: str
    first_at: datetime
    article_id: str
    cites: str | None = None
    articles: int = 0
    independent: bool = False


@dataclass(frozen=True, slots=True)
class StoryMoment:
    """One event of the story's past, in the order in which the events came: the story's own timeline."""

    revision: int
    type: EventType
    at: datetime
    article_id: str
    stage: Stage
    factuality: Factuality
    contested: bool
    headline_en: str
    headline_de: str


@dataclass(frozen=True, slots=True)
class Story:
    """A deal and its life so far (topic stories, key `id`, tombstoned only after a merge). `id` = hash of the opening
    relation, never changed.

    `revision` counts its events, `history` holds the newest of them. `claims` and `articles` are sorted by event
    time; the labels are their fold. `article_count` counts all articles, `rewrites` those that added nothing.
    `contested`: a claim asserts and a party's claim denies the same target, unsettled. `corroborated_at` is the number
    of independent origins last announced. `withdrawn`: no article states it any more. `merged_into` leads on.
    `retracted`: articles that an operator took from it, whatever they or their newer versions say. `sources` are the
    origins as a tree: who broke it, who cites whom. `split_from`: stories that an operator took this one out of.
    """

    id: str
    opened_at: datetime
    updated_at: datetime
    parties: tuple[StoryParty, ...]
    kind: Kind
    stage: Stage
    factuality: Factuality
    basis: Basis
    state_version: int = STORY_STATE_VERSION
    revision: int = 1
    contested: bool = False
    binding: bool | None = None
    milestones: tuple[Milestone, ...] = ()
    ended_as: EndedAs | None = None
    venture: str | None = None
    via: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    claims: tuple[StoryClaim, ...] = ()
    articles: tuple[StoryArticle, ...] = ()
    stance_by_party: tuple[PartyPosition, ...] = ()
    article_count: int = 0
    rewrites: int = 0
    origins: tuple[str, ...] = ()
    corroborated_at: int = 0
    languages: tuple[str, ...] = ()
    headline_en: str = ""
    headline_de: str = ""
    history: tuple[StoryMoment, ...] = ()
    confidence: float = 1.0
    withdrawn: bool = False
    merged_into: str | None = None
    retracted: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    split_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tie:
    """A tie of a party set as an article recalls it, or as an earlier story holds it (`story_id`): the history."""

    parties: tuple[StoryParty, ...]
    kind: Kind
    stage: Stage
    seen_at: datetime
    story_id: str | None = None
    article_id: str | None = None
    url: str | None = None


class Action(StrEnum):
    """What an operator does to a story."""

    SPLIT = "split"
    MERGE = "merge"
    RETRACT = "retract"


@dataclass(frozen=True, slots=True)
class Correction:
    """The operator's hand (topic corrections, key `story_id`).

    A split takes `article_ids` out into a story of their own, whose id follows from `id`; a merge puts the whole story
    into `into_story_id`; a retraction takes away what `article_ids` say.
    """

    id: str
    story_id: str
    action: Action
    into_story_id: str | None
    article_ids: tuple[str, ...]
    reason: str
    operator: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Assignment:
    """Where an article version went (topic assignments, key article id): one story id per relation (None:
    background), and its signature. An article without any news has the id of the story that its main relation recalls;
    after an excerpt the stories of the fuller version follow.

    `duplicate_of` names the article that this one repeats, `ties` are the background relations. `stream_time` is the
    latest event time that the worker had seen, so that windows are the same after a restore. A correction that came
    before what it names waits here, under its own id, as `waiting`.
    """

    article_id: str
    version: int
    event_time: datetime
    stream_time: datetime
    story_ids: tuple[str | None, ...]
    state_version: int = STORY_STATE_VERSION
    duplicate_of: str | None = None
    signature: Signature | None = None
    ties: tuple[Tie, ...] = ()
    waiting: Correction | None = None


@dataclass(frozen=True, slots=True)
class EventChange:
    """One field of the story that changed; values as the event shows them (None: there was none)."""

    field: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class EventParty:
    """A party as a subscriber needs it. Codes are None where not verified, never guessed."""

    name: str
    id: str | None = None
    role: Role | None = None
    ultimate_parent: str | None = None
    country: str | None = None
    wikidata: str | None = None
    ticker: str | None = None
    lei: str | None = None


@dataclass(frozen=True, slots=True)
class Headline:
    """One line: who, what, how far, how sure, what changed."""

    en: str
    de: str


@dataclass(frozen=True, slots=True)
class Cause:
    """An article as an event points at it: the one that brought the change, a source, or one of the coverage."""

    article_id: str
    version: int
    url: str | None = None
    publisher: str | None = None
    title: str = ""
    language: str | None = None
    published_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoryEvent:
    """One change in a story that a subscriber would want to know: the data of a CloudEvent (topic events, key = story
    id).

    `occurred_at` is the event time of the causing article, `published_at` its own date if it has one. `revision`
    counts the story's events. `correction_id` names the operator's correction that brought it about, if one did;
    `merged_into` the story that this one now leads to.
    """

    story_id: str
    revision: int
    type: EventType
    headline: Headline
    parties: tuple[EventParty, ...]
    kind: Kind
    stage: Stage
    factuality: Factuality
    basis: Basis
    contested: bool
    stance_by_party: tuple[PartyPosition, ...]
    changes: tuple[EventChange, ...]
    cause: Cause
    occurred_at: datetime
    observed_at: datetime
    published_at: datetime | None = None
    binding: bool | None = None
    milestones: tuple[Milestone, ...] = ()
    ended_as: EndedAs | None = None
    venture: str | None = None
    via: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    claims: tuple[StoryClaim, ...] = ()
    claim_count: int = 0
    origins: tuple[str, ...] = ()
    origin_count: int = 0
    best_source: Cause | None = None
    primary_document: Cause | None = None
    announced_on: str | None = None
    effective_on: str | None = None
    languages: tuple[str, ...] = ()
    articles: tuple[Cause, ...] = ()
    article_count: int = 0
    rewrite_count: int = 0
    previous_ties: tuple[Tie, ...] = ()
    confidence: float = 1.0
    backfill: bool = False
    code_version: str = ""
    data_version: str = ""
    correction_id: str | None = None
    merged_into: str | None = None
    sources: tuple[Source, ...] = ()
