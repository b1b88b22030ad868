"""Numbered articles with a known truth: each tells of one agreement between two made-up companies, no pair twice.

So article n must give one record on relations, one story, one event, and its number stands in the article's URL.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import combinations

from tieup.ids import derive_id
from tieup.model.article import Article

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
HEADS = (
    *("Bral", "Corv", "Dresk", "Fenz", "Galv", "Hurst", "Jelm", "Krend", "Lusk", "Morv", "Nisk", "Pelv", "Quorn"),
    *("Rondt", "Skarv", "Trusk", "Ulmb", "Vronn", "Wrelt", "Yorv", "Zelk", "Blonk", "Drimm", "Fjesk"),
)
TAILS = (
    *("abia", "edona", "ikara", "omela", "ufina", "aroti", "evanu", "isolo", "orenda", "uvaro", "abeni", "enkido"),
    *("imuro", "onaka", "ubelo", "asenga", "etoma", "ivonda", "okura"),
)
COMPANIES = tuple(head + tail for head in HEADS for tail in TAILS)
TEXTS = (
    (
        "{a} and {b} found joint venture number {n}",
        "{a} and {b} have signed a binding contract to found a joint venture for electric cars, plant {n}, they said.",
    ),
    (
        "{a} to buy battery cells from {b} for model {n}",
        "{a} will buy battery cells from {b} for its car {n}, both said. They signed a supply contract.",
    ),
)


def companies(count: int) -> tuple[str, ...]:
    """As many companies as give `count` pairs: a small run has small tables. At most 103,740 pairs."""
    needed = next(n for n in range(2, len(COMPANIES) + 1) if n * (n - 1) // 2 >= count)
    return COMPANIES[:needed]


def gazetteer(count: int) -> str:
    """The companies of so many articles as a gazetteer file (TOML)."""
    tables = (
        f'["{name.lower()}"]\nname = "{name}"\ncountry = "DE"\nsectors = ["maker"]\nautomotive = true\n'
        for name in companies(count)
    )
    return "\n".join(tables)


def articles(count: int) -> Iterator[Article]:
    """`count` articles, a minute apart, each of another pair."""
    pairs = sorted(combinations(companies(count), 2), key=lambda pair: derive_id("pair", *pair))
    for n, (a, b) in enumerate(pairs[:count]):
        title, text = (part.format(a=a, b=b, n=n) for part in TEXTS[n % len(TEXTS)])
        yield _article(n, title, text)


def article_id(n: int) -> str:
    """The id of article n, as an entry with its URL has it."""
    return derive_id("url", _url(n))


def _url(n: int) -> str:
    return f"https://pairs.example/{n}"


def _article(n: int, title: str, text: str) -> Article:
    at = START + timedelta(minutes=n)
    return Article(
        id=article_id(n),
        version=1,
        title=title,
        text=text,
        observed_at=at + timedelta(minutes=5),
        url=_url(n),
        canonical_url=_url(n),
        publisher="Pairs",
        domain="pairs.example",
        language="en",
        published=at,
        content_hash=derive_id(title, text),
    )
