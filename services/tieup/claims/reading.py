"""Reads an article once: its sentences and clauses, the companies named in them, and the cues of the lexicon."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from tieup.claims.bounds import CUES, MENTIONS, READ_CHARACTERS, READ_SENTENCES
from tieup.claims.descriptions import find_described
from tieup.claims.lexicon.load import Entry, Lexicon, Topic
from tieup.claims.media import MediaFinder, MediumMention
from tieup.claims.patterns import COMPANY, MEDIUM, PERSON, mask
from tieup.claims.sentences import Stretch, split_clauses, split_sentences, stretch_at
from tieup.companies.gazetteer import Gazetteer
from tieup.companies.matcher import Matcher, Mention
from tieup.companies.namesakes import Namesake, resolve
from tieup.companies.strangers import StrangerFinder
from tieup.model.article import Article
from tieup.model.labels import Stage
from tieup.model.relation import Evidence, Part, Span


@dataclass(frozen=True, slots=True)
class Cue:
    """A lexicon entry found at [start, end) of a part."""

    topic: Topic
    label: str
    weight: float
    start: int
    end: int


@dataclass(frozen=True, eq=False)
class Sentence:
    """A sentence of a part with its clauses, its mentions and its cues; `index` counts from 0, the title first."""

    part: Part
    index: int
    start: int
    end: int
    text: str
    clauses: tuple[Stretch, ...]
    mentions: tuple[Mention, ...]
    media: tuple[MediumMention, ...]
    cues: tuple[Cue, ...]

    @cached_property
    def companies(self) -> tuple[str, ...]:
        """The ids of the companies that the sentence names, in order, each once."""
        return tuple(dict.fromkeys(mention.company_id for mention in self.mentions))

    @property
    def in_title(self) -> bool:
        """Whether it stands in the headline."""
        return self.part is Part.TITLE

    def about(self, topic: Topic, label: str | None = None) -> list[Cue]:
        """Return the cues of a topic, or of one of its labels."""
        cues = self._by_topic.get(topic, [])
        return cues if label is None else [cue for cue in cues if cue.label == label]

    @cached_property
    def _by_topic(self) -> dict[Topic, list[Cue]]:
        found: dict[Topic, list[Cue]] = {}
        for cue in self.cues:
            found.setdefault(cue.topic, []).append(cue)
        return found

    def weight(self, topic: Topic, label: str) -> float:
        """Return the summed weight of a label's cues."""
        return sum(cue.weight for cue in self.about(topic, label))

    def has(self, topic: Topic, label: str) -> bool:
        """Say whether the sentence holds a cue of the label."""
        return any(cue.label == label for cue in self._by_topic.get(topic, []))

    def clause_of(self, position: int) -> int:
        """Return the index of the clause that holds a position of the part."""
        return stretch_at(list(self.clauses), position)

    def evidence(self, label: str, start: int | None = None, end: int | None = None) -> Evidence:
        """Return a stretch of the sentence (default: all of it) as evidence."""
        left, right = self.start if start is None else start, self.end if end is None else end
        return Evidence(label, self.part, left, right, self.text[left - self.start : right - self.start])

    def span(self) -> Span:
        """Return the whole sentence as a span."""
        return Span(self.part, self.start, self.end, self.text)


@dataclass(frozen=True, slots=True)
class Found:
    """The names found in one part."""

    part: Part
    text: str
    mentions: tuple[Mention, ...]
    media: tuple[MediumMention, ...]


class Reader:
    """Reads parts of articles; immutable."""

    def __init__(
        self,
        matcher: Matcher,
        media: MediaFinder,
        namesakes: tuple[Namesake, ...] = (),
        strangers: StrangerFinder | None = None,
    ) -> None:
        self._matcher = matcher
        self._media = media
        self._namesakes = namesakes
        self._strangers = strangers

    def companies(self, article: Article) -> tuple[list[Mention], list[Mention]]:
        """Return the mentions in the title and in the text.

        Both are matched as one text, so that a name which the title leaves ambiguous is proved by the text. Beside
        known companies, those that the gazetteer lacks are mentioned by the ids of strangers.
        """
        offset = len(article.title) + 1
        whole = f"{article.title}\n{article.text}"
        year = None if article.published is None else article.event_time.year
        found = self._matcher.find(whole, year)
        if not found:
            return [], []
        found = resolve(found, whole, self._namesakes)
        if self._strangers is not None:
            strangers = self._strangers.find(whole[: offset + READ_CHARACTERS], found, article.language or "")
            found = sorted((*found, *strangers), key=lambda one: one.start)
        title = [one for one in found if one.end < offset]
        text = [
            Mention(one.company_id, one.start - offset, one.end - offset, one.surface, one.person)
            for one in found
            if one.start >= offset
        ]
        return title, text

    def read(
        self, article: Article, mentions: tuple[list[Mention], list[Mention]], lexicon: Lexicon, gazetteer: Gazetteer
    ) -> list[Sentence]:
        """Return the sentences of the article, the title's first. `gazetteer` knows all the companies mentioned."""
        sentences: list[Sentence] = []
        for part, text, named in ((Part.TITLE, article.title, mentions[0]), (Part.TEXT, article.text, mentions[1])):
            kept = text[:READ_CHARACTERS]
            names = [one for one in named if one.end <= READ_CHARACTERS]
            meant = find_described(kept, names, mentions[0] if part is Part.TEXT else (), gazetteer)
            found = Found(part, kept, meant, tuple(self._media.find(kept)))
            sentences.extend(_read_part(found, lexicon, len(sentences)))
        return sentences


def _read_part(found: Found, lexicon: Lexicon, first: int) -> list[Sentence]:
    masked = mask(found.text, _names(found))
    stretches = split_sentences(found.text, lexicon.abbreviations)[:READ_SENTENCES]
    likely = lexicon.needles.by_stretch(masked, stretches)
    mentions: list[list[Mention]] = [[] for _ in stretches]
    media: list[list[MediumMention]] = [[] for _ in stretches]
    end = stretches[-1].end if stretches else 0
    for mention in (one for one in found.mentions if one.start < end):
        mentions[stretch_at(stretches, mention.start)].append(mention)
    for medium in (one for one in found.media if one.start < end):
        media[stretch_at(stretches, medium.start)].append(medium)
    return [
        Sentence(
            part=found.part,
            index=first + at,
            start=stretch.start,
            end=stretch.end,
            text=found.text[stretch.start : stretch.end],
            clauses=tuple(split_clauses(masked, stretch, lexicon.breaks)),
            mentions=tuple(mentions[at][:MENTIONS]),
            media=tuple(media[at]),
            cues=find_cues(masked, stretch, [lexicon.entries[one] for one in likely[at]]),
        )
        for at, stretch in enumerate(stretches)
    ]


def find_cues(masked: str, stretch: Stretch, entries: Sequence[Entry]) -> tuple[Cue, ...]:
    """Return the cues in a stretch of the masked text, in order of the entries and then of their place."""
    cues: list[Cue] = []
    for entry in entries:
        cues.extend(
            Cue(entry.topic, entry.label, entry.weight, match.start(), match.end())
            for match in entry.pattern.regex.finditer(masked, stretch.start, stretch.end)
        )
    return _weightiest(cues)


def _weightiest(cues: list[Cue]) -> tuple[Cue, ...]:
    """Return the cues: of those of one label that overlap only the weightiest, and none that an idiom makes void.

    "Negotiations with Ford were not continued" speaks of an end: its "negotiations" are no talks. A "licence to build
    cars" is no licence between companies.
    """
    taken: dict[tuple[Topic, str], list[Cue]] = {}
    for cue in sorted(cues, key=lambda one: (-one.weight, one.start, one.end)):
        rivals = taken.setdefault((cue.topic, cue.label), [])
        if not _overlaps(cue, rivals):
            rivals.append(cue)
    ends = taken.get((Topic.STAGE, Stage.ENDED), [])
    idioms = taken.get((Topic.TEXT, "void"), [])
    kept = {cue for group in taken.values() for cue in group}
    told = (
        cue
        for cue in dict.fromkeys(cues)
        if cue in kept
        and not (cue.topic is Topic.STAGE and cue.label != Stage.ENDED and _overlaps(cue, ends))
        and not (cue.topic in {Topic.KIND, Topic.STAGE} and _overlaps(cue, idioms))
    )
    return _first(list(told))


def _first(cues: list[Cue]) -> tuple[Cue, ...]:
    """Return the cues, the first CUES of the sentence where there are more."""
    if len(cues) <= CUES:
        return tuple(cues)
    last = sorted(cue.start for cue in cues)[CUES - 1]
    return tuple(cue for cue in cues if cue.start <= last)[:CUES]


def _overlaps(cue: Cue, others: list[Cue]) -> bool:
    return any(_overlap(cue, other) for other in others)


def _overlap(one: Cue, other: Cue) -> bool:
    return one.start < other.end and other.start < one.end


def _names(found: Found) -> list[tuple[int, int, str]]:
    """Return the stretches to blot out; a company's name wins over a medium's at the same place."""
    companies = [(one.start, one.end, PERSON if one.person else COMPANY) for one in found.mentions]
    taken = {position for start, end, _ in companies for position in range(start, end)}
    media = [(one.start, one.end, MEDIUM) for one in found.media if one.start not in taken and one.end - 1 not in taken]
    return sorted(companies + media)
