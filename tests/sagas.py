"""Made-up sagas for tests that need many articles: pairs of companies, each with reports, a denial and a deal."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import combinations

from tieup.ids import derive_id
from tieup.log.base import NewRecord
from tieup.log.topics import ARTICLES
from tieup.model.article import Article
from tieup.model.codec import encode, to_millis

# Recent, since retention goes by record time: older articles would be cleaned away before they are read.
START = datetime.now(UTC).replace(hour=8, minute=0, second=0, microsecond=0) - timedelta(days=30)
MAKERS = ("Ford", "Toyota", "Nissan", "Honda", "Renault", "Stellantis", "BMW", "Volkswagen", "Hyundai", "Geely")
PARTNERS = ("Xiaomi", "BYD", "CATL", "Foxconn", "Rivian", "Northvolt", "Qualcomm", "Nvidia", "Bosch", "Leapmotor")
TEXTS = (
    (
        "{a} in talks with {b} on joint venture, Reuters reports",
        (
            "{a} and {b} are in talks about a joint venture to build electric cars in plant {n}, Reuters reported, "
            "citing two people familiar with the matter. Both companies declined to comment on the talks."
        ),
    ),
    (
        "Report: {a} and {b} negotiate joint venture",
        (
            "{a} and {b} are negotiating a joint venture to build electric cars in plant number {n}, according to a "
            "Reuters report that cited two people familiar with the matter. Both companies declined to comment."
        ),
    ),
    (
        "{a} dementiert Gespräche mit {b}",
        (
            "{a} hat einen Bericht über Gespräche mit {b} über ein Gemeinschaftsunternehmen zurückgewiesen. Der "
            "Bericht über Werk {n} sei falsch, teilte {a} am Abend mit."
        ),
    ),
    (
        "{a} and {b} found joint venture after all",
        (
            "{a} and {b} have signed a binding contract to found a joint venture for electric cars, both companies "
            "said in a statement on plant number {n}."
        ),
    ),
)


def sagas(count: int, start: datetime = START) -> Iterator[Article]:
    """The first `count` articles, an hour apart; four sagas are told at a time, chapter by chapter."""
    pairs = [(a, b) for a in MAKERS for b in PARTNERS] + list(combinations(MAKERS, 2))
    for n in range(count):
        block, place = divmod(n, 16)
        chapter, pair = place // 4, (block * 4 + place % 4)
        a, b = pairs[pair % len(pairs)]
        title, text = (part.format(a=a, b=b, n=pair) for part in TEXTS[chapter])
        yield _article(n, title, text, start + timedelta(hours=n))


def saga_records(count: int, start: datetime = START) -> list[NewRecord]:
    """The same as records of the articles topic (Kafka drops records that are older than the topic's retention)."""
    return [NewRecord(ARTICLES, a.id.encode(), encode(a), to_millis(a.observed_at)) for a in sagas(count, start)]


def _article(n: int, title: str, text: str, at: datetime) -> Article:
    url = f"https://news.example/{n}"
    return Article(
        id=derive_id("article", url),
        version=1,
        title=title,
        text=text,
        observed_at=at + timedelta(minutes=5),
        url=url,
        canonical_url=url,
        publisher="Example News",
        domain="news.example",
        language="de" if "dementiert" in title else "en",
        published=at,
        content_hash=derive_id(title, text),
    )
