"""Deals that are easily taken for one another, as streams of labelled relations: stories judged without extraction.

`python -m tests.unit.stories.confusable_streams read|scored` prints the scores by class (for read.toml also each stream
that is not right in full).
"""

import sys
import tomllib
from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tieup.articles.signature import sign
from tieup.companies.gazetteer import Gazetteer, load_gazetteer
from tieup.evaluation.measures import bcubed_f1
from tieup.ids import derive_id
from tieup.log.base import Record
from tieup.log.topics import ASSIGNMENTS, RELATIONS
from tieup.model.codec import decode, encode, to_millis
from tieup.model.labels import Basis, Factuality, Focus, Kind, Role, SpeakerType, Stage, Stance, Target
from tieup.model.relation import ArticleRelations, Claim, Evidence, Part, Party, Relation, Span
from tieup.model.story import Assignment
from tieup.stories.memory import Memory
from tieup.stories.parties import story_parties
from tieup.stories.worker import StoryWorker

FOLDER = Path(__file__).parents[2] / "data" / "confusable"
BACKGROUND = "-"
_SURE = {
    "c": (Factuality.CONFIRMED, Basis.PARTY),
    "r": (Factuality.REPORTED, Basis.MEDIUM),
    "d": (Factuality.DENIED, Basis.PARTY),
}


@dataclass(frozen=True)
class Told:
    """A relation of a stream and its true deal; `joined` to the article of the one before."""

    deal: str
    at: datetime
    relation: Relation
    joined: bool


@dataclass(frozen=True)
class Stream:
    """A stream of one class, in the order in which it comes."""

    name: str
    sort: str
    told: tuple[Told, ...]


@dataclass(frozen=True)
class Outcome:
    """Of each relation that is news: its true deal, the story that it went to, and the trivial baseline's cluster, that
    of all relations with the same parties.
    """

    stream: Stream
    deals: list[Hashable]
    stories: list[Hashable]
    baseline: list[Hashable]

    @property
    def right(self) -> bool:
        """Whether every relation is where it belongs."""
        return bcubed_f1(self.deals, self.stories) == 1.0


@dataclass(frozen=True)
class Score:
    """BCubed F1 over relations of the stories and of the trivial baseline, and the streams that are right in full."""

    stories: float
    baseline: float
    right: int
    streams: int


def streams(half: str, gazetteer: Gazetteer) -> list[Stream]:
    rows = tomllib.loads((FOLDER / f"{half}.toml").read_text("utf-8"))["streams"]
    return [Stream(row["name"], row["class"], tuple(_told(line, gazetteer) for line in row["told"])) for row in rows]


def run(stream: Stream, worker: StoryWorker, gazetteer: Gazetteer) -> Outcome:
    """What the worker makes of the stream alone."""
    worker.memory = Memory()
    outcome = Outcome(stream, [], [], [])
    for told, given in zip(articles(stream), records(stream), strict=True):
        output = worker.process(given)
        for change in output.changes:
            worker.apply(change)
        (ids,) = (
            decode(Assignment, change.value, "a change").story_ids
            for change in output.changes
            if change.topic == ASSIGNMENTS
        )
        for one, story_id in zip(told, ids, strict=False):
            if one.relation.focus is Focus.NEWS:
                outcome.deals.append((stream.name, one.deal))
                outcome.stories.append((stream.name, story_id))
                parties = story_parties(one.relation.parties, gazetteer)
                outcome.baseline.append((stream.name, frozenset(party.key for party in parties)))
    return outcome


def records(stream: Stream) -> list[Record]:
    """The stream's articles as records of the topic relations."""
    found = [_article(stream, told) for told in articles(stream)]
    return [
        Record(RELATIONS, 0, at, one.article_id.encode(), encode(one), to_millis(one.observed_at))
        for at, one in enumerate(found)
    ]


def articles(stream: Stream) -> list[list[Told]]:
    """The relations of each article of the stream."""
    found: list[list[Told]] = []
    for told in stream.told:
        if told.joined:
            found[-1].append(told)
        else:
            found.append([told])
    return found


def score(outcomes: Sequence[Outcome]) -> Score:
    deals, stories, baseline = (
        [item for one in outcomes for item in getattr(one, name)] for name in ("deals", "stories", "baseline")
    )
    found, trivial = bcubed_f1(deals, stories), bcubed_f1(deals, baseline)
    return Score(found or 0.0, trivial or 0.0, sum(one.right for one in outcomes), len(outcomes))


def by_class(outcomes: Sequence[Outcome]) -> dict[str, Score]:
    """The scores of each class, and of all under `all`."""
    sorts: dict[str, list[Outcome]] = defaultdict(list)
    for one in outcomes:
        sorts[one.stream.sort].append(one)
    return {"all": score(outcomes)} | {sort: score(some) for sort, some in sorts.items()}


def _told(line: str, gazetteer: Gazetteer) -> Told:
    head, parties, labels, sentence, *more = (part.strip() for part in line.split("|"))
    day, deal = head.removeprefix("+").split()
    kind, stage, sure = labels.split()
    factuality, basis = _SURE[sure]
    named = [name.strip() for name in parties.split(",")]
    extras = dict(pair.strip().split("=", 1) for pair in ";".join(more).split(";") if pair.strip())
    roles = dict(pair.strip().rsplit(":", 1) for pair in extras.get("roles", "").split(",") if pair.strip())
    relation = Relation(
        tuple(_party(name, roles.get(name), gazetteer) for name in named),
        Kind(kind),
        Stage(stage),
        factuality,
        basis,
        Focus.BACKGROUND if deal == BACKGROUND else Focus.NEWS,
        venture=extras.get("venture"),
        via=tuple(filter(None, [extras.get("via")])),
        claims=(_denial(named[0], sentence, gazetteer),) if factuality is Factuality.DENIED else (),
        evidence=(Evidence("relation", Part.TEXT, 0, len(sentence), sentence),),
    )
    return Told(deal, datetime.fromisoformat(day).replace(tzinfo=UTC), relation, head.startswith("+"))


def _party(name: str, role: str | None, gazetteer: Gazetteer) -> Party:
    known = gazetteer.find_by_name(name)
    return Party(name, known.id if known else None, Role(role) if role else None)


def _denial(name: str, sentence: str, gazetteer: Gazetteer) -> Claim:
    span = Span(Part.TEXT, 0, len(sentence), sentence)
    return Claim(name, SpeakerType.PARTY, Stance.DENIES, Target.TALKS, span, _party(name, None, gazetteer).id)


def _article(stream: Stream, told: Sequence[Told]) -> ArticleRelations:
    sentence = told[0].relation.evidence[0].text
    own = derive_id(stream.name, *(f"{one.at} {one.relation.evidence[0].text}" for one in told))
    text = " ".join(derive_id(own, str(at)) for at in range(40))
    return ArticleRelations(
        article_id=own,
        version=1,
        title=sentence,
        observed_at=told[0].at,
        event_time=told[0].at,
        published=told[0].at,
        relations=tuple(one.relation for one in told),
        signature=sign(text, sentence),
    )


def main(half: str) -> None:
    gazetteer = load_gazetteer()
    worker = StoryWorker(gazetteer)
    outcomes = [run(stream, worker, gazetteer) for stream in streams(half, gazetteer)]
    for sort, found in by_class(outcomes).items():
        print(f"{sort:14} {found.stories:.3f} (same parties {found.baseline:.3f}), {found.right} of {found.streams}")
    for one in outcomes if half == "read" else ():
        if not one.right:
            print(f"\n{one.stream.name}")
            for told, story_id in zip(one.stream.told, one.stories, strict=True):
                names = ", ".join(party.name for party in told.relation.parties)
                print(f"  {told.at:%Y-%m-%d} {told.deal:14} {str(story_id)[-8:-2]} {names} {told.relation.kind}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "scored")
