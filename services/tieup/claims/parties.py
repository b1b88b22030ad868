"""Which companies of a sentence a cue ties together."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from tieup.claims.lexicon.load import Topic
from tieup.claims.reading import Cue, Sentence
from tieup.companies.gazetteer import Gazetteer
from tieup.companies.matcher import Mention
from tieup.model.labels import Kind

Parties = tuple[str, ...]
GroupOf = Callable[[str], str]

_MAX_PARTIES = 8
_MAX_PAIRS = 6
_JOINT_KINDS = frozenset({Kind.JOINT_VENTURE})
_MUTUAL_KINDS = frozenset({Kind.ALLIANCE, Kind.JOINT_DEVELOPMENT, Kind.JOINT_VENTURE, Kind.MERGER_ACQUISITION, "link"})
_AND = re.compile(
    r"(?:['’]s|s|-\w{0,20})?(?:\s?\([^)]{0,30}\))?\s*(?:,|/|&|-|–|und|and|sowie|or|oder|et|ou|e|y|con|with|,\s?(?:und|and)|、|，|和|与|及|・|·|と|와|과)"
    r"\s*(?:auch |der |die |dem |den |das |the |its |la |le |il |lo )?(?:\w{1,12}[ -])?",
    re.IGNORECASE,
)
_WITH = re.compile(
    r"(?:\b(?:mit|with|an|to|in|into|für|for|bei|avec|con|chez|dans|en)\b[^,;]{0,40}|[与和同]|と|와|과)$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Coordination:
    """Companies named side by side ("Honda, Nissan and Mitsubishi"), as one."""

    companies: Parties
    start: int
    end: int


def in_play(sentence: Sentence) -> list[Mention]:
    """Return the mentions that may be parties: not the rival, the former employer, the owner of a named daughter."""
    asides = sentence.about(Topic.TEXT, "aside")
    kept = [one for one in sentence.mentions if not any(cue.start <= one.start < cue.end for cue in asides)]
    owners = {_owner(cue, kept) for cue in sentence.about(Topic.TEXT, "unit")}
    return [one for one in kept if one not in owners]


def _owner(cue: Cue, mentions: Sequence[Mention]) -> Mention | None:
    inside = [one for one in mentions if cue.start <= one.start < cue.end]
    return inside[0] if len(inside) > 1 else None


def coordinate(sentence: Sentence, mentions: Sequence[Mention]) -> list[Coordination]:
    """Return the mentions in runs of those named side by side."""
    runs: list[list[Mention]] = []
    for one in mentions:
        if runs and _side_by_side(sentence, runs[-1][-1], one):
            runs[-1].append(one)
        else:
            runs.append([one])
    return [
        Coordination(tuple(dict.fromkeys(one.company_id for one in run)), run[0].start, run[-1].end) for run in runs
    ]


def _side_by_side(sentence: Sentence, left: Mention, right: Mention) -> bool:
    between = sentence.text[left.end - sentence.start : right.start - sentence.start]
    return len(between) <= 60 and _AND.fullmatch(between) is not None


def tied_by(sentence: Sentence, cue: Cue, runs: Sequence[Coordination], group_of: GroupOf) -> list[Parties]:
    """Return the party sets that a kind cue ties together within its sentence; none if it has fewer than two groups."""
    near = _within_clause(sentence, cue, runs)
    if _groups(near, group_of) < 2:
        near = list(runs)
    if _groups(near, group_of) < 2:
        return []
    joint = cue.label in _JOINT_KINDS or sentence.has(Topic.TEXT, "joint")
    sets = _choose(sentence, cue, near, joint=joint)
    return [parties for parties in sets if len({group_of(one) for one in parties}) > 1]


def _within_clause(sentence: Sentence, cue: Cue, runs: Sequence[Coordination]) -> list[Coordination]:
    clause = sentence.clauses[sentence.clause_of(cue.start)]
    return [run for run in runs if clause.start <= run.start < clause.end]


def _groups(runs: Sequence[Coordination], group_of: GroupOf) -> int:
    return len({group_of(one) for run in runs for one in run.companies})


def _choose(sentence: Sentence, cue: Cue, runs: Sequence[Coordination], *, joint: bool) -> list[Parties]:
    distinct = tuple(dict.fromkeys(one for run in runs for one in run.companies))
    if len(distinct) == 2:
        return [distinct]
    before = [run for run in runs if run.end <= cue.start or run.start < cue.start]
    after = [run for run in runs if run not in before]
    if before and after:
        return _across(sentence, cue, before[-1], after[0], joint=joint)
    side = before[-2:] if before else after[:2]
    lists = [run for run in side if len(run.companies) > 1]
    if len(lists) == 1 and (cue.label in _MUTUAL_KINDS or len(side) == 1):
        return _whole(lists[0].companies, sentence, joint=joint)
    return _across(sentence, cue, side[0], side[-1], joint=joint)


def _across(sentence: Sentence, cue: Cue, left: Coordination, right: Coordination, *, joint: bool) -> list[Parties]:
    everyone = tuple(dict.fromkeys(left.companies + right.companies))
    if len(everyone) <= 2:
        return [everyone]
    if len(left.companies) > 1 and cue.label in _MUTUAL_KINDS and not _follows_with(sentence, right):
        return _whole(left.companies, sentence, joint=joint)
    if joint:
        return [everyone[:_MAX_PARTIES]]
    return [(one, other) for one, other in product(left.companies, right.companies) if one != other][:_MAX_PAIRS]


def _whole(companies: Parties, sentence: Sentence, *, joint: bool) -> list[Parties]:
    if sentence.has(Topic.TEXT, "hub") and not joint:
        return list(combinations(companies, 2))[: len(companies) - 1]
    return [companies[:_MAX_PARTIES]]


def _follows_with(sentence: Sentence, run: Coordination) -> bool:
    return _WITH.search(sentence.text, 0, run.start - sentence.start) is not None


def split_groups(parties: Parties, group_of: GroupOf) -> list[Parties]:
    """Return the sets left when two parties of one group each stand for themselves ("Hyundai and Kia with Apple").

    A set of three or more groups stays one contract.
    """
    by_group: dict[str, list[str]] = {}
    for one in parties:
        by_group.setdefault(group_of(one), []).append(one)
    if len(by_group) != 2 or len(parties) == 2:
        return [parties]
    left, right = by_group.values()
    return [tuple(sorted(pair, key=parties.index)) for pair in product(left, right)]


def is_ancestor(gazetteer: Gazetteer, ancestor: str, company: str) -> bool:
    """Say whether one company stands above another in its chain of parents."""
    parent = gazetteer.get(company).parent
    while parent is not None and parent != ancestor:
        parent = gazetteer.get(parent).parent
    return parent is not None
