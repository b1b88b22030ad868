"""The label guide's worked example, as articles."""

from tests.unit.stories.making import article, claim, denies, relation

from tieup.model.labels import Basis, Factuality, Focus, Kind, Stage
from tieup.model.relation import ArticleRelations
from tieup.stories.worker import StoryWorker

CONFIRMED = {"factuality": Factuality.CONFIRMED, "basis": Basis.PARTY}
DENIED = {"factuality": Factuality.DENIED, "basis": Basis.PARTY}
BACKGROUND = {**CONFIRMED, "focus": Focus.BACKGROUND, "stage": Stage.ACTIVE}
WIRE = "Ford spoke with Xiaomi about a joint venture in the United States, four people with knowledge of it said. " * 3

REPORT = article(
    "ft-report",
    relation("Ford", "Xiaomi", origin="Financial Times", claims=(claim("anonymous"),)),
    relation("Ford", "CATL", kind=Kind.LICENSING, **BACKGROUND),
)
REWRITE = article("rewrite", relation("Xiaomi", "Ford", origin="Financial Times"), day=0.2)
DENIAL = article("ford-denies", relation("Ford", "Xiaomi", claims=(denies("Ford"),), **DENIED), day=0.5)
BOTH_DENY = article(
    "xiaomi-denies", relation("Ford", "Xiaomi", claims=(denies("Ford"), denies("Xiaomi")), **DENIED), day=0.6
)
REUTERS = article(
    "reuters",
    relation(
        "Ford",
        "Xiaomi",
        kind=Kind.ALLIANCE,
        origin="Reuters",
        claims=(claim("Ford", "declines_comment"), claim("anonymous")),
    ),
    day=1,
)
JILIN = article(
    "jilin",
    relation("Xiaomi", "FAW", kind=Kind.ALLIANCE, factuality=Factuality.CONFIRMED, basis=Basis.AUTHORITY),
    relation("Volkswagen", "FAW", **BACKGROUND),
    day=2,
)
BAIC = article(
    "baic", relation("Xiaomi", "BAIC", kind=Kind.CONTRACT_MANUFACTURING, via=("BluePark",), origin="Bloomberg"), day=3
)
SAGA = (REPORT, REWRITE, DENIAL, BOTH_DENY, REUTERS, JILIN, BAIC)


def story_of(one: StoryWorker, found: ArticleRelations) -> str:
    return next(filter(None, one.memory.assignments[found.article_id].story_ids))
