"""The gold labels: what a person says an article states."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import msgspec

from tieup.errors import BadFile
from tieup.evaluation.jsonl import read_rows
from tieup.model.labels import Factuality, Focus, Kind, Stage

LABELS: Final = {
    "kind": frozenset(Kind),
    "stage": frozenset(Stage),
    "factuality": frozenset(Factuality),
    "focus": frozenset(Focus),
}
"""The labels that are scored, and their values."""


@dataclass(frozen=True, slots=True)
class GoldRelation:
    """One relation of the gold: party names, labels, and what else is right.

    `accept` gives further values per label that are equally right, `alt_parties` further party sets. An `optional`
    relation may be found or not. A label that the gold leaves out is None and not
    scored.
    """

    parties: tuple[str, ...]
    kind: str | None = None
    stage: str | None = None
    factuality: str | None = None
    focus: str | None = None
    accept: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    alt_parties: tuple[tuple[str, ...], ...] = ()
    optional: bool = False
    evidence: str = ""

    def label(self, name: str) -> str | None:
        """The gold's own value of a label."""
        value: str | None = getattr(self, name)
        return value

    def is_right(self, name: str, value: str) -> bool:
        """Whether the value is right for the label."""
        own = self.label(name)
        return own is None or value == own or value in self.accept.get(name, ())


@dataclass(frozen=True, slots=True)
class GoldArticle:
    """One labelled article. `text` is None where neither the row nor a file beside it holds it; `story` names the deal
    of its main relation.
    """

    id: str
    title: str = ""
    text: str | None = None
    lang: str | None = None
    url: str | None = None
    published: str | None = None
    relevant: bool = False
    relations: tuple[GoldRelation, ...] = ()
    story: str | None = None


def load_gold(path: Path) -> list[GoldArticle]:
    """Return the labelled articles of a JSON Lines file, in its order.

    Fields may be missing or null: an article without `relevant` is relevant if it has relations, one without `id` is
    called by its line, one without `text` takes that of `<id>.txt` in the same folder. Raises BadFile, naming file and
    line.
    """
    articles: dict[str, GoldArticle] = {}
    try:
        with path.open("rb") as lines:
            for number, row in read_rows(lines, path.name):
                if isinstance(row, BadFile):
                    raise row
                article = _article(row, number, path)
                if article.id in articles:
                    raise BadFile(f"{path.name}:{number}: the id {article.id!r} stands there twice")
                articles[article.id] = article
    except OSError as error:
        raise BadFile(f"{path}: cannot be read: {error.strerror}") from error
    if not articles:
        raise BadFile(f"{path}: holds no articles")
    return list(articles.values())


def _article(row: dict[str, Any], number: int, path: Path) -> GoldArticle:
    given = _present(row)
    given.setdefault("id", f"line-{number}")
    relations = given.get("relations", [])
    if isinstance(relations, list):
        given["relations"] = [_present(one) if isinstance(one, dict) else one for one in relations]
    given.setdefault("relevant", bool(relations))
    place = f"{path.name}:{number}"
    try:
        article = msgspec.convert(given, GoldArticle)
    except msgspec.ValidationError as error:
        raise BadFile(f"{place}: not a gold article: {error}") from error
    for relation in article.relations:
        _check(relation, place)
    return article if article.text is not None else replace(article, text=_text_beside(path, article.id))


def _present(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}


def _check(relation: GoldRelation, place: str) -> None:
    if len(relation.parties) < 2:
        raise BadFile(f"{place}: a relation needs at least two parties, not {list(relation.parties)}")
    for name, values in LABELS.items():
        for value in (relation.label(name), *relation.accept.get(name, ())):
            if value is not None and value not in values:
                raise BadFile(f"{place}: {value!r} is no {name}")


def _text_beside(path: Path, article_id: str) -> str | None:
    beside = path.parent / f"{article_id}.txt"
    if "/" in article_id or "\\" in article_id or not beside.is_file():
        return None
    try:
        return beside.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise BadFile(f"{beside.name}: not UTF-8: {error}") from error
