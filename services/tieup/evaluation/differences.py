"""The faults of an evaluation, one article after the other, for people to read and scripts to count."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tieup.evaluation.align import SCORED_LABELS, Pair
from tieup.evaluation.evaluate import Judgement
from tieup.evaluation.gold import GoldRelation
from tieup.evaluation.lines import LineRelation

SNIPPET_CHARS = 240
LEAD_CHARS = 40


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: `sort` is relevance, missed, extra or labels; `gold` and `found` say it in a line each; `snippet` is
    the text that it is about.
    """

    sort: str
    gold: str
    found: str
    snippet: str = ""


@dataclass(frozen=True, slots=True)
class FaultyArticle:
    """An article with its faults."""

    id: str
    language: str | None
    title: str
    faults: tuple[Fault, ...]


def first_faults(judged: Sequence[Judgement], limit: int) -> list[FaultyArticle]:
    """Return the first `limit` articles in which anything scored is wrong, in the gold's order."""
    faulty = [one for one in judged if not one.faultless][: max(limit, 0)]
    return [FaultyArticle(one.gold.id, one.gold.lang, one.gold.title, tuple(_faults(one))) for one in faulty]


def _faults(one: Judgement) -> Iterator[Fault]:
    gold, line, alignment = one.gold, one.line, one.alignment
    text = gold.text or ""
    if gold.relevant != line.relevant:
        yield Fault("relevance", _relevance(gold.relevant), _relevance(line.relevant), _cut(text))
    for relation in alignment.missed:
        yield Fault("missed", _gold_words(relation), "", relation.evidence or _around(text, relation.parties))
    for found in alignment.extra:
        yield Fault("extra", "", _found_words(found), _found_evidence(found))
    for pair in alignment.pairs:
        wrong = [label for label in SCORED_LABELS if not pair.is_right(label)]
        if wrong:
            yield _label_fault(pair, wrong)


def _label_fault(pair: Pair, wrong: Sequence[str]) -> Fault:
    names = " – ".join(pair.gold.parties)
    gold = ", ".join(f"{label} {_accepted(pair.gold, label)}" for label in wrong)
    found = ", ".join(f"{label} {getattr(pair.found, label)}" for label in wrong)
    return Fault("labels", f"{names}: {gold}", found, pair.gold.evidence or _found_evidence(pair.found))


def _accepted(gold: GoldRelation, label: str) -> str:
    return "/".join([str(gold.label(label)), *gold.accept.get(label, ())])


def _relevance(relevant: bool) -> str:
    return "relevant" if relevant else "not relevant"


def _gold_words(relation: GoldRelation) -> str:
    labels = (relation.kind, relation.stage, relation.factuality, relation.focus)
    return f"{' – '.join(relation.parties)}: {', '.join(label for label in labels if label)}"


def _found_words(found: LineRelation) -> str:
    names = " – ".join(party.name for party in found.parties)
    return f"{names}: {found.kind}, {found.stage}, {found.factuality}, {found.focus}"


def _found_evidence(found: LineRelation) -> str:
    sentences = [evidence.text for evidence in found.evidence if evidence.label == "relation"]
    return _cut(sentences[0] if sentences else found.evidence[0].text if found.evidence else "")


def _around(text: str, names: Sequence[str]) -> str:
    """Return the stretch in which most of the names stand, the first of several."""
    starts = [max(0, found.start() - LEAD_CHARS) for name in names for found in re.finditer(re.escape(name), text)]
    stretches = [text[start : start + SNIPPET_CHARS] for start in sorted(starts)]
    return _cut(max(stretches, key=lambda stretch: sum(name in stretch for name in names), default=text))


def _cut(text: str) -> str:
    text = " ".join(text[: SNIPPET_CHARS * 2].split())
    return text if len(text) <= SNIPPET_CHARS else text[: SNIPPET_CHARS - 1].rstrip() + "…"
