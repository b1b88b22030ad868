"""A natural stream, mostly other news and 2 % relevant: what is wrongly taken for relevant, and what is missed.

Run with `python -m tests.benchmarks.natural_stream GOLD.jsonl…` (`make stream`). Printed are the false relevants per
1,000 articles of other news: as feeds bring it, of topics that nobody looked at; of those of them alone that name
companies of the automotive world, mostly three; of topics whose mistakes were read, and of those fitted to; of
articles by hand that are not fitted to, and of the hard ones. Last, of the relevant articles of the labelled sets, how
many are found. `--show` prints the false ones.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path

from tests.benchmarks.news_stream import FITTED, READ, UNSEEN, generated, handwritten

from tieup.claims.extract import Extractor
from tieup.companies.gazetteer import load_gazetteer
from tieup.evaluation.gold import GoldArticle, load_gold
from tieup.model.article import Article

COUNT = 6000
"""Articles of other news in the natural stream; of each harder sort, half as many."""
IN_FIELD = 0.3
"""The share of them that names companies of the automotive world: between a newspaper and the trade press."""
SHARE = 0.02
SEED = 20260201
NO_TIE = Path(__file__).parents[1] / "data" / "gold" / "no_tie.jsonl"
AT = datetime(2026, 2, 1, tzinfo=UTC)


def taken(extractor: Extractor, gold: Iterable[GoldArticle]) -> list[GoldArticle]:
    """Return the articles that are taken for relevant."""
    return [one for one in gold if extractor.extract(article_of(one)).relations]


def article_of(one: GoldArticle) -> Article:
    """Return a labelled article as one that a feed brought."""
    return Article(one.id, 1, one.title, one.text or "", observed_at=AT, published=AT, language=one.lang)


def naming(extractor: Extractor, gold: Sequence[GoldArticle]) -> str:
    """Say what share of the articles name no company, one, or companies of several groups."""
    accounts = Counter(extractor.read(article_of(one)) is not None for one in gold)
    return f"{accounts[True] / len(gold):.0%} name companies of several groups, one of them automotive"


def main(arguments: Sequence[str]) -> None:
    extractor = Extractor(load_gazetteer())
    show = "--show" in arguments
    for name, gold in (
        ("natural, unseen", list(generated(COUNT, seed=SEED, folder=UNSEEN, in_field=IN_FIELD))),
        ("in field, unseen", list(generated(COUNT // 2, seed=SEED, folder=UNSEEN))),
        ("in field, read", list(generated(COUNT // 2, seed=SEED, folder=READ))),
        ("in field, fitted", list(generated(COUNT // 2, seed=SEED, folder=FITTED))),
        ("by hand, unseen", load_gold(NO_TIE)[1::2]),
        ("hard, unseen", list(handwritten(unseen=True))),
        ("hard, read", list(handwritten(unseen=False))),
    ):
        wrong = taken(extractor, gold)
        share = f"{1000 * len(wrong) / len(gold):.1f} per 1,000"
        print(f"{name:18} {len(wrong):4} of {len(gold)} wrongly relevant, {share}; {naming(extractor, gold)}")
        if show:
            print(*(f"    {one.id}: {one.title} | {one.text}" for one in wrong), sep="\n")
    relevant = [one for path in arguments if not path.startswith("--") for one in load_gold(Path(path)) if one.relevant]
    if relevant:
        wanted = list(islice(cycle(relevant), round(COUNT * SHARE / (1 - SHARE))))
        found = len(taken(extractor, wanted))
        print(f"{'relevant (2 %)':18} {found:4} of {len(wanted)} found, recall {found / len(wanted):.3f}")


if __name__ == "__main__":
    main(sys.argv[1:])
