"""Other news as feeds bring it, of all topics and in eight languages; none of it states a relation.

Articles are put together by a seeded generator: of a topic one headline, one or two leads, and up to three further
sentences, with the names and amounts of tests/data/news/stream_names.toml. The topics of tests/data/news/stream and the
odd ones of the articles written by hand to be hard (tests/data/news/hard_news.txt) are for fitting; what was taken for
relevant of stream_read led to changes of rules; stream_unseen and the even hard ones only tell what other news does.
"""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tieup.evaluation.gold import GoldArticle

NEWS = Path(__file__).parents[1] / "data" / "news"
HARD = NEWS / "hard_news.txt"
NAMES = NEWS / "stream_names.toml"
FITTED = NEWS / "stream"
READ = NEWS / "stream_read"
UNSEEN = NEWS / "stream_unseen"
SHARES = {"en": 0.34, "de": 0.36, "zh": 0.12, "fr": 0.05, "it": 0.03, "es": 0.04, "ja": 0.03, "ko": 0.03}
"""What share of the stream each language has."""
SCRIPTS = {"zh": "han", "ja": "kana", "ko": "hangul"}


@dataclass(frozen=True, slots=True)
class Topic:
    """The patterns of one topic: headlines, leads, further sentences."""

    name: str
    titles: list[str] = field(default_factory=list)
    leads: list[str] = field(default_factory=list)
    more: list[str] = field(default_factory=list)

    @property
    def in_field(self) -> bool:
        """Whether it names companies of the automotive world."""
        return any(f"{{{slot}}}" in one for one in (*self.titles, *self.leads, *self.more) for slot in "abc")


def topics(folder: Path, language: str) -> list[Topic]:
    """Return the topics of a language, in the order of its file."""
    found: list[Topic] = []
    for line in folder.joinpath(f"{language}.txt").read_text(encoding="utf-8").splitlines():
        sort, _, pattern = line.partition(" ")
        if sort == "=":
            found.append(Topic(f"{language} {pattern}"))
        elif sort:
            {"T": found[-1].titles, "L": found[-1].leads, "M": found[-1].more}[sort].append(pattern)
    return found


def generated(count: int, *, seed: int, folder: Path, in_field: float = 1.0) -> Iterator[GoldArticle]:
    """Yield so many articles of the folder's topics; the same seed gives the same ones.

    The share `in_field` is of topics that name companies of the automotive world; the rest of those that do not.
    """
    random = Random(seed)
    names = tomllib.loads(NAMES.read_text(encoding="utf-8"))
    told = {one: [topic for topic in topics(folder, one) if topic.in_field] for one in SHARES}
    other = {one: [topic for topic in topics(FITTED, one) if not topic.in_field] for one in SHARES}
    for number in range(count):
        (language,) = random.choices(list(SHARES), list(SHARES.values()))
        topic = random.choice(told[language] if random.random() < in_field or not other[language] else other[language])
        filled = _slots(names[SCRIPTS.get(language, "latin")], names[language], random)
        title, text = random.choice(topic.titles), _text(topic, language, random)
        yield GoldArticle(
            f"{topic.name} {number}", title.format(**filled), text.format(**filled), lang=language, story=topic.name
        )


def handwritten(*, unseen: bool) -> Iterator[GoldArticle]:
    """Yield the hard articles that are (not) fitted to."""
    for number, line in enumerate(HARD.read_text(encoding="utf-8").splitlines()):
        if (number % 2 == 1) is unseen:
            language, title, text = line.split("|")
            yield GoldArticle(f"hard-{number + 1}", title, text, lang=language, story=f"hard-{number + 1}")


def _text(topic: Topic, language: str, random: Random) -> str:
    leads = random.sample(topic.leads, random.choice((1, 1, 2)))
    more = random.sample(topic.more, random.randint(0, min(3, len(topic.more))))
    return ("" if language in {"zh", "ja"} else " ").join(leads + more)


def _slots(script: dict[str, list[str]], local: dict[str, list[str]], random: Random) -> dict[str, str]:
    companies: Sequence[str] = random.sample(random.choice(script["companies"]), 3)
    others, people = random.sample(script["others"], 2), random.sample(script["people"], 2)
    return dict(
        zip("abcxypq", (*companies, *others, *people), strict=True),
        city=random.choice(local["cities"]),
        day=random.choice(local["days"]),
        money=random.choice(local["money"]),
        pct=str(random.randint(2, 19)),
        n=str(random.randint(8, 480) * 1000),
        n2=str(random.randint(12, 90) * 10),
    )
