"""How many relation records a second the story worker takes with 1,000, 10,000 and 100,000 stories, what it holds, and
how long it takes to come back.

Each size is made by running the worker itself over made-up articles: nine stories in ten are told once and fall asleep,
the newest tenth is told four and a half times each in 180 days; as many articles as stories are remembered, and as much
falls asleep and is forgotten with each record, whatever the size. Some companies are in many more stories than others.
The sizes are filled in processes of their own and then take turns, outputs checked against their schemas, so that other
work on the machine hits all alike. Rates are per second of processor time. Run as a module:

    python -m tests.benchmarks.story_capacity [STORIES...]
"""

import gc
import multiprocessing
import random
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from tempfile import TemporaryFile

from tieup.articles.signature import ALGORITHM, BANDS, SKETCH
from tieup.companies.company import Company
from tieup.companies.gazetteer import Gazetteer, load_gazetteer
from tieup.events.validate import SchemaValidator
from tieup.ids import derive_id
from tieup.log.base import Change, NewRecord, Record
from tieup.log.step import Stepper
from tieup.log.topics import ASSIGNMENTS, RELATIONS, STORIES
from tieup.model.codec import encode, to_millis
from tieup.model.labels import Basis, Factuality, Focus, Kind, SpeakerType, Stage, Stance, Target
from tieup.model.relation import ArticleRelations, Claim, Evidence, Part, Party, Relation, Signature, Span
from tieup.stories.worker import StoryWorker

START = datetime(2020, 1, 1, tzinfo=UTC)
SIZES = (1_000, 10_000, 100_000)
BATCH = 500
SLICES = 8
DAYS = 400
TOLD = 4.5
RECENT = 200
QUOTE = "The two companies have discussed building electric cars together, people with knowledge of the matter said."


class Articles:
    """Made-up relation records: one in so many opens a story, the others tell of a recent one again."""

    def __init__(self, gazetteer: Gazetteer, seed: int = 3) -> None:
        self._draw = random.Random(seed)
        self._companies = [company for company in gazetteer if company.parent is None]
        self._recent: list[Relation] = []
        self._signatures = self._made()
        self._count = 0
        self.day = 0.0

    def take(self, count: int, days: float, told: float) -> Iterator[list[Record]]:
        """So many articles in so many days, in batches; each story is told so many times."""
        made = 0
        while made < count:
            batch = []
            for _ in range(min(BATCH, count - made)):
                self.day += days / count
                fresh = int((made + 1) / told) > int(made / told) or not self._recent
                batch.append(self._record(fresh))
                made += 1
            yield batch

    def _record(self, fresh: bool) -> Record:
        """The next article: signed, with one piece of news and one tie recalled."""
        news = self._news() if fresh else self._draw.choice(self._recent)
        self._recent = [*self._recent[-RECENT:], news] if fresh else self._recent
        at = START + timedelta(days=self.day)
        article_id = derive_id("bench", str(self._count))
        found = ArticleRelations(
            article_id, 1, "A headline of the usual length on two companies", at, at, (news, self._background()),
            next(self._signatures), f"https://news.example/{self._count}", "Example News", "news.example", "en", at,
        )  # fmt: skip
        self._count += 1
        return Record(RELATIONS, 0, self._count, article_id.encode(), encode(found), to_millis(at))

    def _pair(self) -> tuple[Company, Company]:
        """Two companies; a hundredth of all, the first ones, are drawn in a tenth of the cases."""
        one = other = 0
        while one == other:
            one, other = (int(len(self._companies) * self._draw.random() ** 2) for _ in range(2))
        return self._companies[one], self._companies[other]

    def _news(self) -> Relation:
        one, other = self._pair()
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
        one, other = self._pair()
        return Relation(
            (Party(one.name, one.id), Party(other.name, other.id)), Kind.ALLIANCE, Stage.ACTIVE,
            Factuality.CONFIRMED, Basis.NARRATION, Focus.BACKGROUND,
        )  # fmt: skip

    def _made(self) -> Iterator[Signature]:
        """Signatures as of texts that have nothing in common."""
        while True:
            bands, shingles = (sorted(f"{self._draw.getrandbits(64):016x}" for _ in range(n)) for n in (BANDS, SKETCH))
            yield Signature(ALGORITHM, tuple(bands), tuple(shingles))


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


class Filled:
    """A worker with so many stories, what it wrote, and the articles that come next."""

    def __init__(self, stories: int) -> None:
        self._gazetteer = load_gazetteer()
        self._worker = StoryWorker(self._gazetteer, "bench")
        self._stepper = Stepper("story", 0, self._worker, SchemaValidator(), frozenset())
        self._topics = Topics()
        self._articles = Articles(self._gazetteer)
        self._stories = stories
        for share, days, told in ((0.35, 140, 1.0), (0.55, 220, 1.0), (0.45, 180, TOLD)):
            for batch in self._articles.take(int(stories * share), days, told):
                self._take(batch)

    def take_slice(self) -> float:
        """Take a batch in as many days as so many articles come in; returns the seconds of processor time."""
        return sum(map(self._take, self._articles.take(BATCH, BATCH * DAYS / self._stories, TOLD)))

    def told(self) -> str:
        """What it holds."""
        memory = self._worker.memory
        return (
            f"{len(memory.stories):>7} stories ({len(memory.stories) - memory.stories.asleep} awake), "
            f"{len(memory.assignments)} articles, {len(memory.duplicates)} signatures, "
            f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB at most"
        )

    def restored(self) -> float:
        """The seconds of processor time in which another worker comes back: in a process of its own there would be
        nothing beside it for the collector to look through.
        """
        worker = StoryWorker(self._gazetteer, "bench")
        gc.freeze()
        started = time.process_time()
        for change in self._topics.read():
            worker.apply(change)
        spent = time.process_time() - started
        assert worker.memory.assignments == self._worker.memory.assignments
        return spent

    def _take(self, batch: list[Record]) -> float:
        started = time.process_time()
        step = self._stepper.run(batch, None, lambda: False)
        spent = time.process_time() - started
        assert not step.dead
        for record in step.records:
            if record.topic in {STORIES, ASSIGNMENTS}:
                self._topics.append(record)
        return spent


def serve(stories: int, wire: Connection) -> None:
    """Fill a worker, take a slice whenever asked, then say what it holds and how long a restore takes."""
    filled = Filled(stories)
    wire.send(filled.told())
    while wire.recv():
        wire.send(filled.take_slice())
    told = filled.told()
    wire.send(f"{told}, restored in {filled.restored():.1f} s")


def main(sizes: Sequence[int]) -> None:
    wires = []
    for stories in sizes:
        ours, theirs = multiprocessing.Pipe()
        multiprocessing.Process(target=serve, args=(stories, theirs), daemon=True).start()
        wires.append(ours)
    for wire in wires:
        print(f"filled: {wire.recv()}", flush=True)
    spent = [0.0] * len(wires)
    for _ in range(SLICES):
        for at, wire in enumerate(wires):
            wire.send(True)
            spent[at] += wire.recv()
    for wire, seconds in zip(wires, spent, strict=True):
        wire.send(False)
        print(f"{SLICES * BATCH / seconds:,.0f} records/s, {seconds / spent[0]:.2f} of the first: {wire.recv()}")


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or SIZES)
