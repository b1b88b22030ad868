"""The near-duplicate signature of an article: LSH bands to find likely copies, shingle hashes to confirm them.

Copies are found by content: syndicated texts, rewrites, truncations, changed headlines, umlaut spellings. A truncated
copy shares few of the long text's shingles, so the Jaccard index loses it; containment (shared shingles over those of
the shorter text) does not. Hence many small bands for retrieval and a bottom-k sketch on which containment is measured.

The hash is XXH3 (64 bits, seeded), stable across machines and versions. Instead of a family of permutations each row
takes the first shingle hash at or after a fixed point of the circle 0..2^64: the hashes being uniform, that is the
smallest of a random rotation, and two texts agree on a row with the probability of their Jaccard index (MinHash,
Broder 1997).
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from itertools import islice
from typing import Final

import xxhash

from tieup.model.relation import Signature

ALGORITHM: Final = "circle-minhash-1"
BANDS: Final = 64
ROWS: Final = 2
SKETCH: Final = 256
WORD_SHINGLE: Final = 2
CHARACTER_SHINGLE: Final = 4
SHORT_TOKENS: Final = 24

_SEED: Final = 20_260_101
_POINTS: Final = tuple(xxhash.xxh3_64_intdigest(b"row %d" % row, seed=_SEED) for row in range(BANDS * ROWS))

# Scripts written without spaces: Han, kana, Thai. Each character is a token there, elsewhere each word is.
_UNSPACED: Final = "\u0e00-\u0e7f\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_TOKEN: Final = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")
_UNSPACED_TOKEN: Final = re.compile(rf"[{_UNSPACED}]")
_UMLAUTS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})


def sign(text: str, title: str) -> Signature:
    """Return the signature of an article's plain text; the title counts only where the text is short (< 24 tokens).

    `bands` holds 64 hashes over two rows each, `shingles` the 256 lowest shingle hashes, ascending, all as 16 hex
    digits. Both are empty where there is no word at all.
    """
    hashes = sorted(shingle_hashes(text, title))
    return Signature(
        algorithm=ALGORITHM,
        bands=tuple(_bands(hashes)) if hashes else (),
        shingles=tuple(f"{value:016x}" for value in islice(hashes, SKETCH)),
    )


def shingle_hashes(text: str, title: str) -> set[int]:
    """Return the hashes of the article's shingles: pairs of words, or four characters in scripts without spaces."""
    tokens = _tokens(text)
    if len(tokens) < SHORT_TOKENS:
        tokens = _tokens(title) + tokens
    return {_hash(shingle) for shingle in _shingles(tokens)}


def _tokens(text: str) -> list[str]:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return _TOKEN.findall(folded.translate(_UMLAUTS))


def _shingles(tokens: Sequence[str]) -> list[str]:
    unspaced = sum(1 for token in tokens if _UNSPACED_TOKEN.match(token))
    size = CHARACTER_SHINGLE if unspaced * 2 > len(tokens) else WORD_SHINGLE
    if len(tokens) <= size:
        return [" ".join(tokens)] if tokens else []
    return [" ".join(tokens[at : at + size]) for at in range(len(tokens) - size + 1)]


def _bands(hashes: Sequence[int]) -> list[str]:
    rows = [hashes[bisect_left(hashes, point) % len(hashes)] for point in _POINTS]
    return [
        f"{_hash(f'{band}:' + ':'.join(str(row) for row in rows[band * ROWS : (band + 1) * ROWS])):016x}"
        for band in range(BANDS)
    ]


def _hash(text: str) -> int:
    return xxhash.xxh3_64_intdigest(text.encode("utf-8", "surrogatepass"), seed=_SEED)
