"""A generated set of near-duplicates and hard negatives, and what finds them: tieup's signatures beside datasketch.

Every article is made of sentences in `data/sentences.toml`; a copy is one of eight perturbations of it, a hard negative
tells of another deal of the same two companies with up to five of the same background sentences. Run as a module:

    python -m tests.benchmarks.near_duplicates [ARTICLES]
"""

import random
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

from tieup.articles.signature import sign
from tieup.stories.duplicates import DuplicateIndex

TABLE: dict[str, Any] = tomllib.loads((Path(__file__).parent / "data" / "sentences.toml").read_text("utf-8"))
WORDS: dict[str, list[str]] = TABLE["words"]
START = datetime(2026, 1, 1, tzinfo=UTC)
UNSPACED = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True)
class Item:
    """An article of the set; those of one `group` are copies of each other. `kind` is the perturbation."""

    title: str
    text: str
    group: int
    kind: str


def generate(count: int, seed: int = 7) -> list[Item]:
    """`count` originals, for each a copy of every kind in turn, and two hard negatives; shuffled."""
    draw = random.Random(seed)
    kinds = sorted(PERTURBATIONS)
    items: list[Item] = []
    for number in range(count):
        language = draw.choice(["en", "en", "de", "de", "zh"])
        pair = draw.sample(WORDS["companies"], 2)
        shared = draw.sample(TABLE[language]["background"], draw.randint(2, min(5, len(TABLE[language]["background"]))))
        shared = [fill(sentence, pair, draw, TABLE[language]) for sentence in shared]
        title, sentences = article(language, pair, shared, draw)
        items.append(Item(title, join(sentences), 3 * number, "original"))
        items += [
            Item(*PERTURBATIONS[kind](title, sentences, draw), 3 * number, kind)
            for kind in (kinds[number % len(kinds)], kinds[(number + 3) % len(kinds)])
        ]
        for other in (1, 2):
            title, sentences = article(language, pair, shared, draw)
            items.append(Item(title, join(sentences), 3 * number + other, "negative"))
    draw.shuffle(items)
    return items


def article(language: str, pair: Sequence[str], shared: Sequence[str], draw: random.Random) -> tuple[str, list[str]]:
    """A headline and 12 to 24 sentences, the shared background among them."""
    news = draw.choices(TABLE[language]["news"], k=draw.randint(12, 24))
    sentences = [fill(sentence, pair, draw, TABLE[language]) for sentence in news]
    at = draw.randint(3, len(sentences))
    return f"{pair[0]}, {pair[1]}: {draw.choice(WORDS['headlines'])}", [*sentences[:at], *shared, *sentences[at:]]


def fill(sentence: str, pair: Sequence[str], draw: random.Random, pools: dict[str, list[str]]) -> str:
    """The sentence with every place in it filled by a word of its own."""
    own = {"a": [pair[0]], "b": [pair[1]], "n": [str(draw.randint(2, 990))]}
    named = {"p": WORDS["places"], "m": WORDS["months"], "w": WORDS["people"], **pools, **own}
    return re.sub(r"\{(\w)\}", lambda place: draw.choice(named[place[1]]), sentence)


def join(sentences: Sequence[str]) -> str:
    return ("" if UNSPACED.search(sentences[0]) else " ").join(sentences)


def syndicated(title: str, sentences: list[str], draw: random.Random) -> tuple[str, str]:
    return title, join(sentences) + " "


def new_headline(title: str, sentences: list[str], draw: random.Random) -> tuple[str, str]:
    return draw.choice(WORDS["headlines"]) + "?", join(sentences)


def agency_prefix(title: str, sentences: list[str], draw: random.Random) -> tuple[str, str]:
    return title, draw.choice(WORDS["agencies"]) + join(sentences)


def boilerplate(title: str, sentences: list[str], draw: random.Random) -> tuple[str, str]:
    lines = draw.sample(WORDS["boilerplate"], 4)
    return title, join([*lines[:1], *sentences, *lines[1:]])


def truncated(title: str, sentences: list[str], draw: random.Random) -> tuple[str, str]:
    text = join(sentences)
    return title, text[: int(len(text) * draw.uniform(0.4, 0.85))] + " …"


def rewritten(title: str, sentences: list[str], draw: random.Random) -> tuple[str, str]:
    """4 to 15 % of the words changed, dropped or added."""
    text, share = join(sentences), draw.uniform(0.04, 0.15)
    spaced = not UNSPACED.search(text)
    words: list[str] = text.split() if spaced else re.findall(r"[A-Za-z0-9]+|.", text)
    changed = []
    for word in words:
        chance = draw.random() / (share if spaced else share / 3)
        changed += [] if chance < 1 / 3 else [draw.choice(WORDS["fillers"])] if chance < 2 / 3 else [word]
        changed += [draw.choice(WORDS["fillers"])] if 2 / 3 <= chance < 1 else []
    return title, (" " if spaced else "").join(changed)


def spelt_otherwise(title: str, sentences: list[str], draw: random.Random) -> tuple[str, str]:
    """Umlauts written out, capitals, straight quotes and dashes."""
    table = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss", ",": " – "})
    return title.upper(), join([sentences[0].upper(), *sentences[1:]]).translate(table)


def rearranged(title: str, sentences: list[str], draw: random.Random) -> tuple[str, str]:
    """Sentences in another order, one or two left out."""
    order = draw.sample(sentences, len(sentences) - draw.randint(1, 2))
    return title, join(order)


PERTURBATIONS: dict[str, Callable[[str, list[str], random.Random], tuple[str, str]]] = {
    "syndicated": syndicated,
    "new headline": new_headline,
    "agency prefix": agency_prefix,
    "boilerplate": boilerplate,
    "truncated": truncated,
    "rewritten": rewritten,
    "spelt otherwise": spelt_otherwise,
    "rearranged": rearranged,
}


@dataclass(frozen=True)
class Result:
    """Pairs found: right of found, right of wanted, and the share of copies found by kind."""

    precision: float
    recall: float
    by_kind: dict[str, float]

    @property
    def f1(self) -> float:
        return 2 * self.precision * self.recall / (self.precision + self.recall)


def judge(items: Sequence[Item], root: Sequence[int]) -> Result:
    """Score clusters, given as the first item of each item's cluster, by the pairs inside them."""
    found, wanted = pairs(root), pairs([item.group for item in items])
    right = found & wanted
    kinds: dict[str, list[bool]] = defaultdict(list)
    for one, other in wanted:
        for item in (items[one], items[other]):
            if item.kind != "original":
                kinds[item.kind].append((one, other) in right)
    shares = {kind: sum(hits) / len(hits) for kind, hits in sorted(kinds.items())}
    return Result(len(right) / max(len(found), 1), len(right) / max(len(wanted), 1), shares)


def pairs(labels: Sequence[int]) -> set[tuple[int, int]]:
    groups: dict[int, list[int]] = defaultdict(list)
    for at, label in enumerate(labels):
        groups[label].append(at)
    return {pair for members in groups.values() for pair in combinations(members, 2)}


def by_tieup(items: Sequence[Item]) -> list[int]:
    """Clusters as the story worker finds them: each article against those before it, a minute apart."""
    index, root = DuplicateIndex(), list(range(len(items)))
    for at, item in enumerate(items):
        signature, when = sign(item.text, item.title), START + timedelta(minutes=at)
        original = index.original(str(at), when, signature)
        index.add(str(at), when, signature)
        if original is not None:
            root[at] = root[int(original)]
    return root


def by_datasketch(items: Sequence[Item], threshold: float = 0.9, permutations: int = 128) -> list[int]:
    """Clusters by datasketch's MinHashLSH with its defaults, over sets of words as its documentation shows."""
    from datasketch import MinHash, MinHashLSH

    lsh, root = MinHashLSH(threshold=threshold, num_perm=permutations), list(range(len(items)))
    for at, item in enumerate(items):
        minhash = MinHash(num_perm=permutations)
        for word in set(item.text.split()):
            minhash.update(word.encode())
        near = lsh.query(minhash)
        lsh.insert(str(at), minhash)
        if near:
            root[at] = root[min(map(int, near))]
    return root


def main(count: int) -> None:
    items = generate(count)
    print(f"{len(items)} articles, {len(pairs([item.group for item in items]))} pairs of copies")
    methods: dict[str, Callable[[Sequence[Item]], list[int]]] = {
        "tieup": by_tieup,
        "datasketch, defaults (.9)": by_datasketch,
        "datasketch, .7": lambda given: by_datasketch(given, 0.7),
        "datasketch, .5": lambda given: by_datasketch(given, 0.5),
    }
    for name, method in methods.items():
        result = judge(items, method(items))
        print(f"\n{name}: F1 {result.f1:.3f}, precision {result.precision:.3f}, recall {result.recall:.3f}")
        print("  " + ", ".join(f"{kind} {share:.2f}" for kind, share in result.by_kind.items()))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 600)
