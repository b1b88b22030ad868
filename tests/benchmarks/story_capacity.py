"""How many relation records a second the story worker takes, what it holds, and how long it takes to come back.

100,000 stories, a tenth of them awake, and 100,000 remembered articles are made by running the worker itself, outputs
checked against their schemas, over made-up articles: nine stories in ten are told once and fall silent, then 180 days
bring the rest and tell them again and again. Rates are per second of processor time. Run as a module:

    python -m tests.benchmarks.story_capacity [STORIES]
"""

import random
import resource
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryFile

from tieup.articles.signature import sign
from tieup.companies.gazetteer import Gazetteer, load_gazetteer
from tieup.events.validate import SchemaValidator
from tieup.ids import derive_id
from tieup.log.base import Change, NewRecord, Record
from tieup.log.step import Stepper
from tieup.log.topics import ASSIGNMENTS, RELATIONS, STORIES
from tieup.model.codec import encode, to_millis
from tieup.model.labels import Basis, Factuality, Focus, Kind, SpeakerType, Stage, Stance, Target
from tieup.model.relation import ArticleRelations, Claim, Evidence, Part, Party, Relation, Signature, Span
from tieup.stories.memory import Memory
from tieup.stories.worker import StoryWorker

START = datetime(2020, 1, 1, tzinfo=UTC)
BATCH = 500
QUOTE = "The two companies have discussed building electric cars together, people with knowledge of the matter said."


class Articles:
    """Made-up relation records: one in two opens a story, the other tells of a recent one again."""

    def __init__(self, gazetteer: Gazetteer, stories: int, seed: int = 3) -> None:
        self._draw = random.Random(seed)
        self._companies = [company for company in gazetteer if company.parent is None]
        self._stories = stories
        self._recent: list[Relation] = []
        self._signatures = self._made()
        self.count = 0

    def record(self) -> Record:
        """The next article: signed, with one piece of news and one tie recalled."""
        silent = self._stories * 9 // 10
        later = self.count - silent
        fresh = later < 0 or later % 7 == 0
        news = self._news() if fresh else self._draw.choice(self._recent)
        self._recent = [*self._recent[-200:], news] if fresh else self._recent
        days = 620 * self.count / silent if later < 0 else 620 + 180 * later / (0.7 * self._stories)
        at = START + timedelta(days=days)
        article_id = derive_id("bench", str(self.count))
        found = ArticleRelations(
            article_id, 1, "A headline of the usual length on two companies", at, at, (news, self._background()),
            next(self._signatures), f"https://news.example/{self.count}", "Example News", "news.example", "en", at,
        )  # fmt: skip
        self.count += 1
        return Record(RELATIONS, 0, self.count, article_id.encode(), encode(found), to_millis(at))

    def _news(self) -> Relation:
        one, other = self._draw.sample(self._companies, 2)
        kind = self._draw.choice(list(Kind))
        span = Span(Part.TEXT, 0, len(QUOTE), QUOTE)
        claims = (
            Claim("anonymous", SpeakerType.ANONYMOUS, Stance.ASSERTS, Target.TALKS, span),
            Claim(one.name, SpeakerType.PARTY, Stance.DECLINES_COMMENT, Target.TALKS, span, one.id),
        )
        return Relation(
            (Party(one.name, one.id), Party(other.name, other.id)), kind, self._draw.choice(list(Stage)[:3]),
            Factuality.REPORTED, Basis.ANONYMOUS, Focus.NEWS, claims=claims, origin="Reuters",
            evidence=(Evidence("relation", Part.TEXT, 0, len(QUOTE), QUOTE),), in_title=True,
        )  # fmt: skip

    def _background(self) -> Relation:
        one, other = self._draw.sample(self._companies, 2)
        return Relation(
            (Party(one.name, one.id), Party(other.name, other.id)), Kind.ALLIANCE, Stage.ACTIVE,
            Factuality.CONFIRMED, Basis.NARRATION, Focus.BACKGROUND,
        )  # fmt: skip

    def _made(self) -> Iterator[Signature]:
        """Signatures of random texts; making each of its own text anew would measure the extraction."""
        while True:
            yield sign(" ".join(f"{self._draw.getrandbits(32):x}" for _ in range(300)), "")


class Topics:
    """The state topics as a compacted log keeps them, in a file: what is measured is the worker's memory alone."""

    def __init__(self) -> None:
        self._file = TemporaryFile()  # noqa: SIM115 - it lives as long as this
        self._places: dict[tuple[str, bytes], tuple[int, int]] = {}

    def append(self, record: NewRecord) -> None:
        value = record.value or b""
        self._places.pop((record.topic, record.key), None)
        self._places[record.topic, record.key] = (self._file.seek(0, 2), len(value))
        self._file.write(value)

    def read(self) -> Iterator[Change]:
        for (topic, key), (place, size) in self._places.items():
            self._file.seek(place)
            yield Change(topic, key, self._file.read(size))


def run(stories: int) -> Topics:
    gazetteer = load_gazetteer()
    worker = StoryWorker(gazetteer, "bench")
    stepper = Stepper("story", 0, worker, SchemaValidator(), frozenset())
    articles, topics = Articles(gazetteer, stories), Topics()
    marks = [stories // 100, stories // 10, stories // 2, stories * 9 // 10, stories * 13 // 10, stories * 16 // 10]
    spent, since = 0.0, 0
    while marks:
        batch = [articles.record() for _ in range(BATCH)]
        started = time.process_time()
        step = stepper.run(batch, None, lambda: False)
        spent += time.process_time() - started
        since += len(batch)
        assert not step.dead
        for record in step.records:
            if record.topic in {STORIES, ASSIGNMENTS}:
                topics.append(record)
        if articles.count >= marks[0]:
            marks.pop(0)
            tell(worker.memory, since / spent)
            spent, since = 0.0, 0
    return topics


def tell(memory: Memory, rate: float) -> None:
    print(
        f"{len(memory.stories):>7} stories ({len(memory.stories) - memory.stories.asleep} awake), "
        f"{len(memory.assignments)} articles, {len(memory.duplicates)} signatures: {rate:,.0f} records/s, "
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB at most",
        flush=True,
    )


def restore(topics: Topics) -> None:
    worker = StoryWorker(load_gazetteer(), "bench")
    started = time.process_time()
    for change in topics.read():
        worker.apply(change)
    spent = time.process_time() - started
    print(f"restored {len(worker.memory.stories)} stories, {len(worker.memory.assignments)} articles in {spent:.1f} s")


if __name__ == "__main__":
    restore(run(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
