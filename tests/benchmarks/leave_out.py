"""How well companies are found that the gazetteer lacks: it is robbed of a part, and the labelled articles read again.

    python -m tests.benchmarks.leave_out [--folds 5] [--rare 3] [--show] [GOLD.jsonl …]

In each of the folds every n-th company is hidden, so that each is hidden once. Of the parties hidden in a fold, those
whose name a labelled article holds are wanted. Three figures: how many of them are mentioned as a stranger; how many of
the strangers mentioned are companies at all (those hidden, or parties of the article); and the relations by their
parties, with the hidden companies found by pattern, without any such pattern, and with nothing hidden. `--rare` leaves
the companies known that are parties of more articles: texts introduce the little known, not Volkswagen.
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from tieup.claims.extract import Extractor
from tieup.claims.lexicon.load import load_media
from tieup.companies.folding import fold
from tieup.companies.gazetteer import Gazetteer, load_gazetteer
from tieup.companies.matcher import Matcher, Mention
from tieup.companies.namesakes import load_namesakes
from tieup.companies.stranger_rules import load_stranger_rules
from tieup.companies.strangers import StrangerFinder
from tieup.evaluation.align import PartyKeys, align
from tieup.evaluation.archive import parse_published
from tieup.evaluation.gold import GoldArticle, load_gold
from tieup.evaluation.lines import line_relation
from tieup.model.article import Article

AT = datetime(2026, 2, 1, 12, tzinfo=UTC)
GOLD = Path("tests/data/gold/dev.jsonl")


@dataclass(slots=True)
class Counts:
    """What was wanted, found, and right among the found."""

    wanted: int = 0
    found: int = 0
    right: int = 0

    def add(self, wanted: int, found: int, right: int) -> None:
        self.wanted += wanted
        self.found += found
        self.right += right

    def shown(self) -> str:
        precision = self.right / self.found if self.found else 0.0
        recall = self.right / self.wanted if self.wanted else 0.0
        f1 = 2 * precision * recall / (precision + recall) if self.right else 0.0
        counts = f"{self.right} of {self.found} found, {self.wanted} wanted"
        return f"precision {precision:.3f}  recall {recall:.3f}  F1 {f1:.3f}  ({counts})"


def without(gazetteer: Gazetteer, hidden: frozenset[str]) -> Gazetteer:
    """Return the gazetteer without some companies; their daughters stand for themselves."""
    kept = {
        one.id: replace(one, parent=None if one.parent in hidden else one.parent)
        for one in gazetteer
        if one.id not in hidden
    }
    people = (replace(one, posts=tuple(post for post in one.posts if post.company in kept)) for one in gazetteer.people)
    return Gazetteer(kept, gazetteer.rules, tuple(one for one in people if one.posts))


def hidden_in(gazetteer: Gazetteer, fold_at: int, folds: int) -> frozenset[str]:
    """Return the ids hidden in a fold; names that stand for others by rule cannot be missed."""
    rules = load_namesakes(gazetteer)
    fixed = {one.company for one in rules} | {one.means for one in rules} | {x for one in rules for x in one.beside}
    return frozenset(one.id for at, one in enumerate(gazetteer) if at % folds == fold_at and one.id not in fixed)


def often_parties(articles: Sequence[GoldArticle], gazetteer: Gazetteer, rare: int | None) -> frozenset[str]:
    """Return the ids of the companies that are parties of more than so many articles."""
    counts = Counter(one for article in articles for one in named_parties(article, gazetteer))
    return frozenset(one for one, count in counts.items() if rare is not None and count > rare)


def named_parties(article: GoldArticle, gazetteer: Gazetteer) -> Iterator[str]:
    """The ids of the gold parties whose names the article holds."""
    text = fold(f"{article.title}\n{article.text}")
    for name in dict.fromkeys(name for one in article.relations for name in one.parties):
        company = gazetteer.find_by_name(name)
        if company is not None and any(fold(spelling) in text for spelling in company.spellings):
            yield company.id


def strangers(article: GoldArticle, matcher: Matcher, finder: StrangerFinder) -> dict[str, Mention]:
    """Return the strangers mentioned, one mention of each."""
    text = f"{article.title}\n{article.text}"
    mentions = finder.find(text, matcher.find(text), article.lang or "")
    return {one.company_id: one for one in reversed(mentions)}


def count_mentions(
    articles: Sequence[GoldArticle],
    gazetteer: Gazetteer,
    hidden: frozenset[str],
    counts: Counts,
    wrong: dict[tuple[str, str], str],
    missed: set[tuple[str, str]],
) -> None:
    """Count into `counts`; what is no company goes to `wrong`, by article, once for all folds, the rest to `missed`."""
    keys = PartyKeys(gazetteer)
    matcher = Matcher(without(gazetteer, hidden))
    whole = Matcher(gazetteer)
    finder = StrangerFinder(load_stranger_rules(), [name for one in load_media() for name in (one.name, *one.aliases)])
    for article in articles:
        wanted = {one for one in named_parties(article, gazetteer) if one in hidden}
        text = f"{article.title}\n{article.text}"
        known = [one for one in whole.find(text) if one.company_id in hidden]
        parties = {keys.of_name(name) for one in article.relations for name in one.parties}
        found = strangers(article, matcher, finder)
        companies = {key: _company(one, known, keys) for key, one in found.items()}
        right = {one for one in companies.values() if one in hidden or one in parties}
        counts.add(len(wanted), len(right & wanted), len(right & wanted))
        missed.update((article.id, one) for one in wanted - right)
        wrong.update({(article.id, key): one.surface for key, one in found.items() if companies[key] not in right})


def _company(mention: Mention, known: Iterable[Mention], keys: PartyKeys) -> str:
    for one in known:
        if one.start < mention.end and mention.start < one.end:
            return one.company_id
    return keys.of_name(mention.surface)


def count_relations(
    articles: Sequence[GoldArticle], extractor: Extractor, gazetteer: Gazetteer, counts: Counts
) -> None:
    keys = PartyKeys(gazetteer)
    for one in articles:
        published = None if one.published is None else parse_published(one.published)
        seen = published or AT
        article = Article(
            one.id, 1, one.title, one.text or "", observed_at=seen, published=published, language=one.lang
        )
        found = [line_relation(relation) for relation in extractor.extract(article).relations]
        outcome = align(one.relations, found, keys)
        right = len(outcome.pairs)
        counts.add(right + len(outcome.missed), right + len(outcome.extra), right)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gold", nargs="*", type=Path, default=[GOLD])
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--rare", type=int, help="hide only parties of at most so many articles")
    parser.add_argument("--show", action="store_true", help="print what is wrong or missed")
    options = parser.parse_args()
    articles = [one for path in options.gold for one in load_gold(path)]
    gazetteer = load_gazetteer()
    mentions, with_patterns, blind, whole = Counts(), Counts(), Counts(), Counts()
    wrong: dict[tuple[str, str], str] = {}
    missed: set[tuple[str, str]] = set()
    often = often_parties(articles, gazetteer, options.rare)
    for at in range(options.folds):
        hidden = hidden_in(gazetteer, at, options.folds) - often
        count_mentions(articles, gazetteer, hidden, mentions, wrong, missed)
        robbed = without(gazetteer, hidden)
        count_relations(articles, Extractor(robbed), gazetteer, with_patterns)
        count_relations(articles, Extractor(robbed, find_strangers=False), gazetteer, blind)
    count_relations(articles, Extractor(gazetteer), gazetteer, whole)
    mentions.found += len(wrong)
    if options.show:
        print(*(f"  no company  {article} {name!r}" for (article, _), name in sorted(wrong.items())), sep="\n")
        print(*(f"  not found   {article} {company}" for article, company in sorted(missed)), sep="\n")
    print(f"{len(articles)} articles, {len(gazetteer)} companies, each hidden in one of {options.folds} folds")
    print(f"hidden parties mentioned     {mentions.shown()}")
    print(f"relations, found by pattern  {with_patterns.shown()}")
    print(f"relations, not found         {blind.shown()}")
    print(f"relations, nothing hidden    {whole.shown()}")


if __name__ == "__main__":
    main()
