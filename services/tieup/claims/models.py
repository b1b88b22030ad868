"""The fitted judgements of extraction, all of them data."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from tieup.claims.logit import Logit
from tieup.claims.meaning import Meaning
from tieup.claims.trees import Node, Trees
from tieup.errors import DataError


@dataclass(frozen=True, slots=True)
class Models:
    """A model per judgement: whether a cue ties companies, whether a statement or an article means a tie, whether a
    draft is a relation, and which value each label takes.
    """

    tie: Logit
    statement: Meaning
    article: Meaning
    relation: Trees
    kind: Logit
    stage: Logit
    factuality: Logit


@cache
def load_models() -> Models:
    """Return the models of the package's data. Raises DataError if a file is wrong."""
    weights, meaning, relation = (_read(name) for name in ("weights.toml", "meaning.toml", "relation.toml"))
    try:
        return Models(
            *(
                Logit(_numbers(weights["tie"])),
                _meaning(meaning["statement"]),
                _meaning(meaning["article"]),
                _trees(relation),
            ),
            *(Logit(_numbers(weights[label])) for label in ("kind", "stage", "factuality")),
        )
    except (KeyError, AttributeError, ValueError, TypeError) as error:
        raise DataError(f"weights.toml, meaning.toml or relation.toml: {error!r}") from error


def _read(name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(files("tieup.claims").joinpath(name).read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, OSError) as error:
        raise DataError(f"{name}: {error}") from error


def _numbers(table: Mapping[str, Any]) -> dict[str, float]:
    return {key: float(value) for key, value in table.items()}


def _meaning(data: Mapping[str, Any]) -> Meaning:
    text, headline = (np.array(data[name], dtype=np.float32) for name in ("text", "headline"))
    return Meaning(text, headline, float(data["bias"]))


def _trees(data: Mapping[str, Any]) -> Trees:
    trees = tuple(
        tuple(Node(int(feature), float(at), int(low), int(high)) for feature, at, low, high in tree)
        for tree in data["trees"]
    )
    return Trees(tuple(map(str, data["features"])), float(data["start"]), trees)
