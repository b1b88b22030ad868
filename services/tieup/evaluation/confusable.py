"""Articles whose stories are easily taken for one another: the same pair of groups, another deal or another brand."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations

from tieup.companies.gazetteer import Gazetteer
from tieup.evaluation.align import PartyKeys
from tieup.evaluation.gold import GoldArticle
from tieup.model.labels import Focus

GroupPair = frozenset[str]


def confusable(gold: Sequence[GoldArticle], gazetteer: Gazetteer) -> frozenset[str]:
    """Return the ids of the articles in whose story two companies meet that, they or others of their groups, meet in
    another story too.

    Parties are those of the article's news, or of all its relations where none is news.
    """
    keys = PartyKeys(gazetteer)
    pairs = {one.id: _pairs(one, keys) for one in gold if one.story}
    stories: dict[GroupPair, set[str]] = defaultdict(set)
    for one in gold:
        for pair in pairs.get(one.id, ()):
            stories[pair].add(one.story or "")
    return frozenset(article for article, own in pairs.items() if any(len(stories[pair]) > 1 for pair in own))


def _pairs(article: GoldArticle, keys: PartyKeys) -> set[GroupPair]:
    news = [one for one in article.relations if one.focus == Focus.NEWS and not one.optional]
    return {
        frozenset(pair)
        for one in news or article.relations
        for pair in combinations(sorted(_groups(one.parties, keys)), 2)
    }


def _groups(names: Iterable[str], keys: PartyKeys) -> set[str]:
    found = {keys.of_name(name) for name in names}
    return {keys.gazetteer.ultimate_parent(key) if key in keys.gazetteer else key for key in found}
