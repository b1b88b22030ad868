"""What speaks for a word's tying two companies: the order of the three, what stands between, who else is named.

The features are read off one sentence; the weights are fitted (`tieup.claims.logit`).
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tieup.claims.lexicon.load import Topic
from tieup.claims.parties import Coordination, Parties
from tieup.claims.reading import Cue, Sentence
from tieup.companies.folding import is_hangul, is_unspaced
from tieup.companies.matcher import Mention

CROWD = 6
"""Companies of a sentence up to which every pair of them is weighed; more are a list."""

WORDS = 24
"""Words of a sentence that are weighed at most."""

_AFTER = 30
"""How far after the last company words still bear on it."""

_STEM = 9
"""Signs of a word that are kept, so that its forms count as one."""

_WORD = re.compile(r"[^\W\d_]{3,30}")

_WINDOW = 40
"""How far before a company its preposition is looked for."""

_PREPOSITIONS = {
    "with": r"mit|with|avec|con|alongside|beim?|chez",
    "of": r"of|between|among|von|vom|zwischen|des|der|de|du|di|del|entre|tra|fra",
    "from": r"from|aus|by|durch|par|por|da|dal",
    "to": r"to|for|an|für|nach|pour|para|per|zu|zum",
    "in": r"in|into|im|at|am|on|bei|auf|dans|en|su|sur",
    "like": r"like|wie|than|als|gegen|against|rival|neben|statt|unlike|besides|comme|como|come",
    "and": r"and|und|et|y|e|sowie",
}
_BEFORE = re.compile(
    "|".join(rf"(?P<{name}>\b(?:{words}))" for name, words in _PREPOSITIONS.items()).join(("(?:", ")"))
    + r"\s(?:(?:the|its|their|den|dem|der|die|das|seine[mnr]?|ihre[mnr]?|le|la|el|il|rival|partner)\s)?"
    + r"(?:[^\s,;:()]{1,24}\s){0,2}[„“\"'(]?$",
    re.IGNORECASE,
)
_UNSPACED_BEFORE = (("与和同跟", "with"), ("由被", "from"), ("向给为", "to"), ("在", "in"))
_UNSPACED_AFTER = (("と과와", "with"), ("の의", "of"), ("に에", "to"), ("が은는이가は", "subject"))
_PRONOUN = re.compile(
    r"[„“\"']?(?:it|they|he|she|the (?:company|group|firm|carmaker|automaker)|er|sie|es|man|der (?:konzern|hersteller)"
    r"|das unternehmen|il|elle|egli|ella|公司|该公司|其)(?!\w)|(?:公司|该公司|其|同社)",
    re.IGNORECASE,
)
_POSSESSED = re.compile(
    r"(?:\b(?:its|their|his|seine[mnrs]?|sein|ihre[mnrs]?|ihr|son|sa|ses|suo|sua|su)|其)\s?(?:[\w-]{1,24}\s){0,3}$",
    re.IGNORECASE,
)
_COMMAS = re.compile(r"[,;，；]")


class How(StrEnum):
    """How a pair of companies came to be weighed with a cue."""

    CHOSEN = "chosen"
    LISTED = "listed"
    LOOSE = "loose"
    SUPPLIED = "supplied"
    BOTH = "both"


CARRIED = frozenset({How.SUPPLIED, How.BOTH})
"""Where a party stands elsewhere than in the sentence."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Of the whole article: the headline's companies, and the main one."""

    title: Parties
    topic: str | None


def tie_features(
    sentence: Sentence, cue: Cue, parties: Parties, how: How, runs: Sequence[Coordination], around: Surroundings
) -> dict[str, float]:
    """Return the features of a cue with a set of companies, in one sentence."""
    label = str(cue.label)
    found = {
        "bias": 1.0,
        f"how {how}": 1.0,
        f"label {label}": 1.0,
        "weight": math.log1p(cue.weight),
        f"{how} weight": math.log1p(cue.weight),
        "crowd": math.log1p(max(0, len(runs) - 2)),
        "in title": float(sentence.in_title),
        "early": 1.0 / (1.0 + sentence.index),
        "aside": float(sentence.has(Topic.TEXT, "aside")),
        "no relation": min(2.0, sentence.weight(Topic.TEXT, "no_relation")),
        "with topic": float(around.topic in parties),
        "both titled": float(set(parties) <= set(around.title)),
        "titled others": float(len(around.title) > 1 and not set(parties) <= set(around.title)),
        "many": float(len(parties) > 2),
        "unspaced": float(_is_unspaced(sentence)),
        "sorted elsewhere": float(len({one.label for one in sentence.about(Topic.KIND)}) > 1),
    }
    if how in CARRIED:
        found |= _carried(sentence, cue)
    return found | _sided(sentence, cue, parties, runs) | _worded(sentence, parties)


def _worded(sentence: Sentence, parties: Parties) -> dict[str, float]:
    """The words between and right after the companies, or of the whole sentence where it names but one."""
    named = [one for one in sentence.mentions if one.company_id in parties]
    start = named[0].start if len(parties) > 1 and len({one.company_id for one in named}) > 1 else sentence.start
    end = min(sentence.end, named[-1].end + _AFTER) if start != sentence.start and named else sentence.end
    words = words_of(sentence, start, end)
    return dict.fromkeys([f"word {one}" for one in words], 1.0 / math.sqrt(len(words))) if words else {}


def words_of(sentence: Sentence, start: int, end: int) -> list[str]:
    """Return the beginnings of the sentence's words in a stretch, each once, without names, WORDS at most."""
    taken = [(one.start, one.end) for one in sentence.mentions]
    words: dict[str, None] = {}
    for match in _WORD.finditer(sentence.text, start - sentence.start, end - sentence.start):
        at = match.start() + sentence.start
        if not any(left <= at < right for left, right in taken):
            words[match.group().lower()[:_STEM]] = None
        if len(words) >= WORDS:
            break
    return list(words)


def _carried(sentence: Sentence, cue: Cue) -> dict[str, float]:
    start = cue.start - sentence.start
    return {
        "opens with a pronoun": float(_PRONOUN.match(sentence.text) is not None),
        "possessed": float(_POSSESSED.search(sentence.text, max(0, start - _WINDOW), start) is not None),
        "adds": float(sentence.has(Topic.TEXT, "adds")),
        "both": float(sentence.has(Topic.TEXT, "both")),
        "alone": float(len(sentence.companies) == 1),
    }


def _sided(sentence: Sentence, cue: Cue, parties: Parties, runs: Sequence[Coordination]) -> dict[str, float]:
    near = [one for party in parties if (one := _nearest(sentence, cue, party)) is not None]
    if not near:
        return {"none named": 1.0}
    near.sort(key=lambda one: one.start)
    left, right = near[0], near[-1]
    found = {f"order {_order(cue, left, right)}": 1.0, f"right {_preposition(sentence, right)}": 1.0}
    clause = sentence.clause_of(cue.start)
    strangers = sum(sentence.clause_of(one.start) != clause for one in near)
    found[f"strangers {strangers}"] = 1.0
    side = any({left.company_id, right.company_id} <= set(run.companies) for run in runs)
    ends = [_spot(one, () if side else runs) for one in (left, right)]
    start, end = min(ends[0].end, cue.start), max(ends[1].start, cue.end)
    between = {one.company_id for one in sentence.mentions if start <= one.start < end}
    found["crossed"] = math.log1p(len(between.difference(*(one.companies for one in ends))))
    found["reach"] = math.log1p(end - start) / 5
    if left is right:
        return found | {f"alone {_order(cue, left, right)}": 1.0}
    found[f"left {_preposition(sentence, left)}"] = 1.0
    found["side by side"] = float(side)
    return found | _apart(sentence, cue, parties, ends, side=side)


def _apart(
    sentence: Sentence, cue: Cue, parties: Parties, ends: Sequence[Coordination], *, side: bool
) -> dict[str, float]:
    """What stands before and between two companies."""
    left, right = ends
    outer = any(one.start < left.start and one.company_id not in parties for one in sentence.mentions)
    inner = sentence.text[left.end - sentence.start : right.start - sentence.start]
    leads = not outer and not side
    return {
        "objects": float(outer and left.start > cue.start),
        "side by side of others": float(side and outer),
        "leads": float(leads),
        f"leads {_preposition_at(sentence, right.start, right.end)}": float(leads),
        "commas": min(3.0, float(len(_COMMAS.findall(inner)))),
        "apart": math.log1p(max(0, right.start - left.end)) / 5,
    }


def _spot(mention: Mention, runs: Sequence[Coordination]) -> Coordination:
    """The place of the company, or of all that are named side by side with it: what is said of one is said of each."""
    alone = Coordination((mention.company_id,), mention.start, mention.end)
    return next((run for run in runs if run.start <= mention.start < run.end), alone)


def _nearest(sentence: Sentence, cue: Cue, party: str) -> Mention | None:
    named = [one for one in sentence.mentions if one.company_id == party]
    return min(named, key=lambda one: abs(one.start - cue.start)) if named else None


def _order(cue: Cue, left: Mention, right: Mention) -> str:
    if right.start < cue.start:
        return "before"
    if left.start >= cue.end:
        return "after"
    if cue.start <= left.start and right.end <= cue.end:
        return "within"
    return "between"


def _preposition(sentence: Sentence, mention: Mention) -> str:
    return _preposition_at(sentence, mention.start, mention.end)


def _preposition_at(sentence: Sentence, first: int, last: int) -> str:
    start, end = first - sentence.start, last - sentence.start
    for signs, name in _UNSPACED_BEFORE:
        if start and sentence.text[start - 1] in signs:
            return name
    for signs, name in _UNSPACED_AFTER:
        if sentence.text[end : end + 1] in set(signs):
            return name
    found = _BEFORE.search(sentence.text, max(0, start - _WINDOW), start)
    return next((name for name, said in found.groupdict().items() if said), "none") if found else "none"


def _is_unspaced(sentence: Sentence) -> bool:
    return any(is_unspaced(sign) or is_hangul(sign) for sign in sentence.text[:8])
