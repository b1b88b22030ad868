"""Gold relations, lines and articles in few words, and a small gazetteer."""

from dataclasses import replace
from typing import Any

from tieup.companies.company import Company, NameRules
from tieup.companies.gazetteer import Gazetteer
from tieup.evaluation.align import PartyKeys
from tieup.evaluation.gold import GoldArticle, GoldRelation
from tieup.evaluation.lines import BacktestLine, LineParty, LineRelation
from tieup.model.labels import Basis, Factuality, Focus, Kind, Stage

NAMES = {
    "volkswagen": ("Volkswagen", "VW"),
    "saic": ("SAIC", "上汽集团"),
    "ford": ("Ford",),
    "byd": ("BYD",),
    "xiaomi": ("Xiaomi",),
    "baic": ("BAIC",),
    "foxconn": ("Foxconn",),
    "rivian": ("Rivian",),
    "honda": ("Honda",),
    "nissan": ("Nissan",),
    "mitsubishi": ("Mitsubishi",),
}
GAZETTEER = Gazetteer(
    {key: Company(key, names[0], names[1:], "DE", ("maker",), True) for key, names in NAMES.items()},
    NameRules((), (), (), (), (), (), (), ()),
)
KEYS = PartyKeys(GAZETTEER)

_LABELS = {"kind": "joint_venture", "stage": "talks", "factuality": "reported", "focus": "news"}


def gold(*parties: str, **given: Any) -> GoldRelation:
    return GoldRelation(parties=parties, **{**_LABELS, **given})


def found(*parties: str, **given: Any) -> LineRelation:
    """A prediction whose parties the gazetteer knows by name, where it does."""
    labels = _LABELS | given
    known = [GAZETTEER.find_by_name(name) for name in parties]
    return LineRelation(
        parties=tuple(LineParty(one.id if one else None, name) for one, name in zip(known, parties, strict=True)),
        kind=Kind(labels["kind"]),
        stage=Stage(labels["stage"]),
        factuality=Factuality(labels["factuality"]),
        basis=Basis.NARRATION,
        focus=Focus(labels["focus"]),
    )


def article(name: str, *relations: GoldRelation, **given: Any) -> GoldArticle:
    return replace(GoldArticle(name, relevant=bool(relations), relations=relations, lang="en", text=""), **given)


def line(name: str, *relations: LineRelation, story: str | None = None) -> BacktestLine:
    return BacktestLine(name, bool(relations), "en", story_id=story, relations=relations)
