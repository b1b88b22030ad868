"""Extraction measured on one core, side by side with a regular-expression union of the same gazetteer.

Run with `make bench-extract`. The regular expression only finds names; extraction finds the names, reads the relations
and labels them. Three kinds of articles of about 500 characters: none naming a company, half naming one with one in
fifty stating a relation, and all stating one. Times are of the processor, the best of three rounds.
"""

import re
import resource
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from tieup.claims.extract import Extractor
from tieup.companies.gazetteer import Gazetteer, load_gazetteer
from tieup.model.article import Article

AT = datetime(2026, 2, 1, 12, tzinfo=UTC)
LENGTH = 500
ROUNDS = 3
OTHER = (
    "The council will decide on Tuesday whether the old swimming pool in the north of the town is closed. ",
    "Residents had complained about rising costs, and the weather kept many visitors away this summer. ",
    "The orchestra opens its season with a symphony that it last played eleven years ago. ",
    "A second round of talks between the unions and the hospitals ended without a result. ",
    "Analysts expect that interest rates stay where they are until the spring at least. ",
    "The club signed a young defender for three years; the deal is said to be worth two million. ",
)
NAMING = "The car maker Toyota sold more cars in the third quarter than a year before. "
STATING = (
    (
        "Ford and Xiaomi are in talks about a joint venture for electric cars, the Financial Times reported, citing "
        "people familiar with the matter. Ford denied the report. Last year Volkswagen bought 5 % of "
        "Xpeng for $700 million. "
    ),
    (
        "Stellantis and Leapmotor founded a joint venture that builds electric cars in Spain; the partners said on "
        "Monday that production starts in 2027. CATL supplies the batteries under a contract signed in May. "
    ),
)


def text_of(first: str, at: int) -> str:
    """An article's text: the first words, then other news up to the length, another one for each number."""
    filler = "".join(OTHER[(at + one) % len(OTHER)] for one in range(len(OTHER)))
    return (first + f"Number {at} of the day. " + filler)[:LENGTH]


def article(text: str) -> Article:
    return Article("a", 1, "News of the day", text, observed_at=AT, published=AT, language="en")


def union(gazetteer: Gazetteer) -> re.Pattern[str]:
    names = sorted({name for company in gazetteer for name in company.spellings}, key=lambda name: (-len(name), name))
    return re.compile("|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in names), re.IGNORECASE)


def per_second(work: Callable[[Article], object], articles: Sequence[Article]) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.process_time()
        for one in articles:
            work(one)
        best = min(best, time.process_time() - begun)
    return len(articles) / best


def main() -> None:
    begun = time.process_time()
    gazetteer = load_gazetteer()
    extractor = Extractor(gazetteer)
    extractor.extract(article(text_of(STATING[0], 0)))
    started = time.process_time() - begun
    pattern = union(gazetteer)
    none = [article(text_of("", at)) for at in range(2000)]
    stating = [article(text_of(STATING[at % 2], at)) for at in range(200)]
    mix = [
        article(text_of(STATING[at % 2] if at % 50 == 0 else NAMING if at % 2 else "", at)) for at in range(len(none))
    ]
    print(f"{sum(1 for _ in gazetteer)} companies; start-up {started:.2f} s")
    print(f"{'articles per second':32}{'tieup':>10}{'union of regular expressions':>32}{'wanted':>10}")
    for name, articles, wanted in (("naming none", none, 20_000), ("mixed", mix, 3_000), ("stating one", stating, 100)):
        ours = per_second(extractor.extract, articles)
        theirs = per_second(lambda one: list(pattern.finditer(one.text)), articles[:20])
        print(f"{name:32}{ours:>10,.0f}{theirs:>32,.1f}{wanted:>10,}")
    print(f"memory at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
