"""The bundled gold files themselves: what is scored has to be well formed and kept apart."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from tieup.evaluation.gold import GoldArticle, load_gold

FOLDER = Path(__file__).parents[2] / "data" / "gold"
READ = ("dev.jsonl", "own.jsonl", "fresh.jsonl", "more.jsonl", "languages.jsonl")
FILES = (*READ, "held.jsonl", "blind.jsonl", "languages_held.jsonl")
WRITTEN = ("fresh.jsonl", "more.jsonl", "held.jsonl", "blind.jsonl")


@pytest.fixture(scope="module")
def gold() -> dict[str, list[GoldArticle]]:
    return {name: load_gold(FOLDER / name) for name in FILES}


@pytest.mark.parametrize("name", WRITTEN)
def test_only_relevant_articles_hold_relations_and_a_story(gold: dict[str, list[GoldArticle]], name: str) -> None:
    odd = [one.id for one in gold[name] if not one.relevant == bool(one.relations) == (one.story is not None)]
    assert odd == []


@pytest.mark.parametrize("name", WRITTEN)
def test_every_relation_shows_its_evidence(gold: dict[str, list[GoldArticle]], name: str) -> None:
    astray = [
        (article.id, relation.evidence)
        for article in gold[name]
        for relation in article.relations
        if not relation.evidence or relation.evidence not in f"{article.title}\n{article.text}"
    ]
    assert astray == []


@pytest.mark.parametrize("name", WRITTEN)
def test_every_relation_has_all_scored_labels(gold: dict[str, list[GoldArticle]], name: str) -> None:
    relations = [relation for article in gold[name] for relation in article.relations]
    assert all((one.kind, one.stage, one.factuality, one.focus).count(None) == 0 for one in relations)


@pytest.mark.parametrize("scored", ["held.jsonl", "blind.jsonl"])
def test_what_is_only_scored_is_news_in_no_file_that_is_read(gold: dict[str, list[GoldArticle]], scored: str) -> None:
    read = [one for name in READ for one in gold[name]]
    assert _stories(gold[scored]) & _stories(read) == set()
    assert _news(gold[scored]) & _news(read) == set()


def _stories(articles: Iterable[GoldArticle]) -> set[str]:
    return {one.story for one in articles if one.story is not None}


def _news(articles: Iterable[GoldArticle]) -> set[tuple[frozenset[str], str | None]]:
    """The parties and the kind of each relation that is news: what makes two stories the same deal."""
    relations = [relation for article in articles for relation in article.relations if relation.focus == "news"]
    return {(frozenset(name.casefold() for name in one.parties), one.kind) for one in relations}


def test_no_text_and_no_id_stands_there_twice(gold: dict[str, list[GoldArticle]]) -> None:
    written = [one for name in FILES for one in gold[name]]
    assert [key for key, count in Counter(one.id for one in written).items() if count > 1] == []
    assert [key for key, count in Counter((one.title, one.text) for one in written).items() if count > 1] == []
