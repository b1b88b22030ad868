"""Which companies of a sentence a cue ties together."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

from tieup.claims.lexicon.load import Topic
from tieup.claims.reading import Cue, Sentence
from tieup.companies.gazetteer import Gazetteer
from tieup.companies.matcher import Mention
from tieup.model.labels import Kind

Parties = tuple[str, ...]
GroupOf = Callable[[str], str]

_MAX_PARTIES = 8
_MAX_PAIRS = 6
_MARKER = 60
"""How far before a company its preposition may stand."""
_MEMBERS = 60
"""How far after a cue its members may stand."""
_JOINT_KINDS = frozenset({Kind.JOINT_VENTURE})
_MUTUAL_KINDS = frozenset({Kind.ALLIANCE, Kind.JOINT_DEVELOPMENT, Kind.JOINT_VENTURE, Kind.MERGER_ACQUISITION, "link"})
_COMMA_AND = re.compile(r"\s?,\s?(?:and|und|but)\b", re.IGNORECASE)
_HYPHENS = frozenset({"-", "–", "/", " - ", " – "})
_UNIT = re.compile(r"['’]s?\s(?:[\w-]{1,20}\s){0,3}(?:unit|subsidiary|arm|brand|division|business)\b", re.IGNORECASE)
_POSSESSIVES = frozenset({"'s ", "’s "})
_AND = re.compile(
    r"(?:'s|’s|s|-\w{0,20})?(?:\s?\([^)]{0,30}\))?\s*"
    r"(?:,\s?(?:und|and)\b|,|/|&|\b(?:und|and|sowie|or|oder|et|ou|e|y|as well as)\b|、|，|和|与|及|·|・|と|와|과)\s*"
    r"(?:auch |der |die |dem |den |das |the |its |la |le |il |lo )?(?:[\w'’]{1,14}[ -]){0,2}",
    re.IGNORECASE,
)
_RELATIVE = re.compile(
    r",\s(?:(?:mit|an|bei|für|von|in|with|in|of)\s)?(?:der|die|das|dem|denen|den|dessen|deren|which|whom|whose|who)\b",
    re.IGNORECASE,
)
_ATTRIBUTE = re.compile(r"\s(?:[\w-]{1,15}\s){0,2}")
_DETERMINER = re.compile(r"\b(?:their|its|the|ihr|ihres|das|des|dem)\s$", re.IGNORECASE)
_APPOSITION = re.compile(r"\s?,\s(?:(?:the|a|das|ein|dem|einem|its|ihr|sein)\s)?(?:[^\s,]{1,20}\s){0,3}")
_NAMED = re.compile(r"\b(?:named|called|dubbed|namens|heißt|heiße|heißen)\s[„“\"]?$", re.IGNORECASE)
_IS_NAMED = re.compile(r"[“”\"]?\s(?:heißt|heiße|heißen)\b", re.IGNORECASE)
_BELONGS = re.compile(r"\s(?:gehört|gehören|belongs? to|is (?:\w{1,10}\s)?owned by)\b", re.IGNORECASE)
_BY = re.compile(r"\b(?:by|from|for|to|von|für|an)\s(?:(?:den|die|the)\s)?[„“\"]?$", re.IGNORECASE)
_HEAD = re.compile(r"[^\w,]{0,2}(?:(?:Group|Motors?|Corp|Inc|AG|SE|Gruppe)\b)?\.?[^\w]{0,2}")
_BEFORE = r"\b(?:%s)\b(?:\s[^\s,;:]{1,30}){0,%d}\s?[„“\"]?$"
_WITH = re.compile(
    _BEFORE % ("mit|with|including|include|darunter|wie|such as|into|bei|beim|from|avec|con|chez|dans", 4)
    + "|"
    + _BEFORE % ("for|für|to|an|am|in", 1),
    re.IGNORECASE,
)
_OF = re.compile(
    _BEFORE % ("of|between|among|formed by|owned by|von|zwischen|aus|der|des|entre|de|du|tra|fra|di", 4), re.IGNORECASE
)
_OWNS = re.compile(r"['’]s?\s(?:[\w-]{1,20}\s){0,2}$|-$|['’]s?\s\w{1,12}$")


@dataclass(frozen=True, slots=True)
class Coordination:
    """Companies named side by side ("Honda, Nissan and Mitsubishi"), as one."""

    companies: Parties
    start: int
    end: int
    hyphened: bool = False


def in_play(sentence: Sentence) -> list[Mention]:
    """Return the mentions that may be parties: not the rival, the former employer, the owner of a named daughter."""
    asides = sentence.about(Topic.TEXT, "aside")
    kept = [one for one in sentence.mentions if not any(cue.start <= one.start < cue.end for cue in asides)]
    kept = _without_products(sentence, kept)
    owners = {_owner(cue, kept) for cue in sentence.about(Topic.TEXT, "unit")}
    owners |= {one for one, after in pairwise(kept) if _text(sentence, one.end, after.start) in _POSSESSIVES}
    owners |= {one for before, one in pairwise(kept) if _is_owner_after(sentence, before, one)}
    return [one for one in kept if one not in owners]


def _is_owner_after(sentence: Sentence, before: Mention, one: Mention) -> bool:
    """Whether the company only tells whose unit the one before it is ("Ampere, Renault's EV unit")."""
    apposed = _text(sentence, before.end, one.start) == ", "
    return apposed and _UNIT.match(sentence.text, one.end - sentence.start) is not None


def _without_products(sentence: Sentence, mentions: list[Mention]) -> list[Mention]:
    """Return the mentions without brands on a product ("Aito cars"), if two companies are left."""
    products = sentence.about(Topic.TEXT, "product")
    makers = [one for one in mentions if not any(cue.start <= one.start < cue.end for cue in products)]
    return makers if len({one.company_id for one in makers}) > 1 else mentions


def _text(sentence: Sentence, start: int, end: int) -> str:
    return sentence.text[start - sentence.start : end - sentence.start]


def _owner(cue: Cue, mentions: Sequence[Mention]) -> Mention | None:
    inside = [one for one in mentions if cue.start <= one.start < cue.end]
    return inside[0] if len(inside) > 1 else None


def coordinate(sentence: Sentence, mentions: Sequence[Mention]) -> list[Coordination]:
    """Return the mentions in runs of those named side by side."""
    runs: list[list[Mention]] = []
    for one in mentions:
        if runs and _side_by_side(sentence, runs[-1], one):
            runs[-1].append(one)
        else:
            runs.append([one])
    return [_coordination(sentence, run) for run in runs]


def _coordination(sentence: Sentence, run: Sequence[Mention]) -> Coordination:
    hyphened = len(run) > 1 and all(_text(sentence, one.end, other.start) in _HYPHENS for one, other in pairwise(run))
    return Coordination(tuple(dict.fromkeys(one.company_id for one in run)), run[0].start, run[-1].end, hyphened)


def _side_by_side(sentence: Sentence, run: Sequence[Mention], right: Mention) -> bool:
    """A comma and an "and" join only what is a list already: "A, B, and C", but "by A, and B builds"."""
    between = _text(sentence, run[-1].end, right.start)
    if between in _HYPHENS:
        return True
    if len(between) > _MARKER or _AND.fullmatch(between) is None:
        return False
    return len(run) > 1 or _COMMA_AND.match(between) is None


def without_venture(sentence: Sentence, cue: Cue, runs: Sequence[Coordination]) -> list[Coordination]:
    """Return the runs without the venture that a cue names beside it ("joint venture Horse")."""
    owners = [run for run in runs if run.hyphened]
    if owners and sentence.has(Topic.KIND, Kind.JOINT_VENTURE):
        return owners if cue.label == Kind.JOINT_VENTURE else [run for run in runs if run not in owners]
    if cue.label != Kind.JOINT_VENTURE or len(runs) < 2:
        return list(runs)
    named = [run for run in runs if len(run.companies) == 1 and _is_named_by(sentence, cue, run)]
    before = [run for run in runs if run.end <= cue.start]
    if not named and before and len({one for run in runs for one in run.companies}) > 2:
        named = [run for run in before[-1:] if _is_attribute(sentence, cue, run)]
    return [run for run in runs if run not in named[:1]]


def _is_attribute(sentence: Sentence, cue: Cue, run: Coordination) -> bool:
    """Whether the run is the venture's name before the word ("their BlueOval SK battery joint venture")."""
    determined = (
        _DETERMINER.search(sentence.text, max(0, run.start - sentence.start - _MARKER), run.start - sentence.start)
        is not None
    )
    return determined and _ATTRIBUTE.fullmatch(_text(sentence, run.end, cue.start)) is not None


def _is_named_by(sentence: Sentence, cue: Cue, run: Coordination) -> bool:
    start, end = run.start - sentence.start, run.end - sentence.start
    if _NAMED.search(sentence.text, max(0, start - _MARKER), start) or any(
        one.match(sentence.text, end) for one in (_IS_NAMED, _BELONGS)
    ):
        return True
    if run.start >= cue.end:
        return _text(sentence, cue.end, run.start) in {" ", " „", ' "', " for ", " für "}
    return run.end <= cue.start and _APPOSITION.fullmatch(_text(sentence, run.end, cue.start)) is not None


def tied_by(sentence: Sentence, cue: Cue, runs: Sequence[Coordination], group_of: GroupOf) -> list[Parties]:
    """Return the party sets that a kind cue ties together within its sentence; none if it has fewer than two groups."""
    near = _nearest_clauses(sentence, cue, runs, group_of)
    if _groups(near, group_of) < 2 or _is_agent(sentence, cue, near):
        return []
    joint = cue.label in _JOINT_KINDS or sentence.has(Topic.TEXT, "joint")
    sets = _choose(sentence, cue, near, joint=joint)
    return [parties for parties in sets if len({group_of(one) for one in parties}) > 1]


def _is_agent(sentence: Sentence, cue: Cue, runs: Sequence[Coordination]) -> bool:
    """Whether all that is named is one side of a one-way tie ("cars made by BYD, Geely and SAIC")."""
    if len(runs) != 1 or not _marked(sentence, runs[0], _BY):
        return False
    return cue.label != Kind.ALLIANCE and any(
        one.label not in _MUTUAL_KINDS and one.start <= runs[0].start < one.end for one in sentence.about(Topic.KIND)
    )


def _nearest_clauses(
    sentence: Sentence, cue: Cue, runs: Sequence[Coordination], group_of: GroupOf
) -> list[Coordination]:
    """Return the runs of the cue's clause, widened clause by clause, backwards first, until two groups are named.

    A relative clause takes what stands right before it, be it a rival or a former employer.
    """
    at = sentence.clause_of(cue.start)
    if closest := _closest(sentence, cue, runs, group_of):
        return closest
    first, last = sentence.clauses[at].start, sentence.clauses[at].end
    near = _inside(runs, first, last)
    if _groups(near, group_of) == 1 and (head := _antecedent(sentence, at)):
        return [head, *near]
    for clause in reversed(sentence.clauses[:at]):
        if _groups(near, group_of) > 1 and not _lacks_subject(sentence, near):
            return near
        near = _inside(runs, first := clause.start, last)
    stray = at and not _inside(runs, sentence.clauses[at].start, last) and _groups(near, group_of) > 2
    if stray or (_lacks_subject(sentence, near) and _is_relative(sentence, at + 1)):
        return []
    for clause in sentence.clauses[at + 1 :]:
        if _groups(near, group_of) > 1:
            return near
        near = _inside(runs, first, clause.end)
    return near


def _closest(
    sentence: Sentence, cue: Cue, runs: Sequence[Coordination], group_of: GroupOf
) -> list[Coordination] | None:
    """Return the runs within the cue, or between the commas around it, where they name two groups."""
    for closest in (_inside(runs, cue.start, cue.end), _between_commas(sentence, cue, runs)):
        if len(closest) > 1 and _groups(closest, group_of) > 1:
            return closest
    return None


def _lacks_subject(sentence: Sentence, runs: Sequence[Coordination]) -> bool:
    """Whether all that is named are partners ("... with Geely and BAIC"), so that the subject stands elsewhere."""
    return len(runs) == 1 and _marked(sentence, runs[0], _WITH)


def _between_commas(sentence: Sentence, cue: Cue, runs: Sequence[Coordination]) -> list[Coordination]:
    """The runs of the stretch between two commas that holds the cue ("..., an Mazda hält Toyota 5,1 %")."""
    clause = sentence.clauses[sentence.clause_of(cue.start)]
    before = sentence.text.rfind(", ", clause.start - sentence.start, cue.start - sentence.start)
    after = sentence.text.find(", ", cue.end - sentence.start, clause.end - sentence.start)
    start = clause.start if before < 0 else sentence.start + before
    return _inside(runs, start, clause.end if after < 0 else sentence.start + after)


def _inside(runs: Sequence[Coordination], start: int, end: int) -> list[Coordination]:
    return [run for run in runs if run.start < end and run.end > start]


def _is_relative(sentence: Sentence, at: int) -> bool:
    if at >= len(sentence.clauses):
        return False
    return _RELATIVE.match(sentence.text, sentence.clauses[at].start - sentence.start) is not None


def _antecedent(sentence: Sentence, at: int) -> Coordination | None:
    start = sentence.clauses[at].start
    if not _is_relative(sentence, at):
        return None
    before = [
        one
        for one in sentence.mentions
        if one.end <= start and _HEAD.fullmatch(sentence.text, one.end - sentence.start, start - sentence.start)
    ]
    return Coordination((before[-1].company_id,), before[-1].start, before[-1].end) if before else None


def _groups(runs: Sequence[Coordination], group_of: GroupOf) -> int:
    return len({group_of(one) for run in runs for one in run.companies})


def _choose(sentence: Sentence, cue: Cue, runs: Sequence[Coordination], *, joint: bool) -> list[Parties]:
    """Return the party sets among three or more companies: members "of" or "between", else subject and object."""
    distinct = tuple(dict.fromkeys(one for run in runs for one in run.companies))
    if len(distinct) == 2:
        return [distinct]
    after = [run for run in runs if run.start >= cue.start]
    members = next((run for run in after[:2] if len(run.companies) > 1 and _marked(sentence, run, _OF)), None)
    if members is not None and (len(runs) == 1 or members.start - cue.end <= _MEMBERS):
        return _whole(members.companies, sentence, joint=joint)
    if len(runs) == 1:
        return _whole(runs[0].companies, sentence, joint=joint)
    subject = _subject(sentence, cue, runs)
    return _across(sentence, cue, subject, _object(sentence, cue, runs, subject), joint=joint)


def _subject(sentence: Sentence, cue: Cue, runs: Sequence[Coordination]) -> Coordination:
    """The owner right before the cue ("Nissan's merger talks"), else the first company of the clause."""
    before = [run for run in runs if run.end <= cue.start]
    if before and _OWNS.match(_text(sentence, before[-1].end, cue.start)) is not None:
        return before[-1]
    start = sentence.clauses[sentence.clause_of(cue.start)].start
    inside = [run for run in runs if run.start >= start]
    return inside[0] if inside and inside[0].start < cue.end else before[-1] if before else runs[0]


def _object(sentence: Sentence, cue: Cue, runs: Sequence[Coordination], subject: Coordination) -> Coordination:
    others = [run for run in runs if run is not subject]
    marked = [run for run in others if _marked(sentence, run, _WITH)]
    return min(marked or others, key=lambda run: (_gap(run, cue), run.start))


def _gap(run: Coordination, cue: Cue) -> int:
    return max(run.start - cue.end, cue.start - run.end, 0)


def _marked(sentence: Sentence, run: Coordination, marker: re.Pattern[str]) -> bool:
    start = run.start - sentence.start
    return marker.search(sentence.text, max(0, start - _MARKER), start) is not None


def _across(sentence: Sentence, cue: Cue, left: Coordination, right: Coordination, *, joint: bool) -> list[Parties]:
    everyone = tuple(dict.fromkeys(left.companies + right.companies))
    if len(everyone) <= 2:
        return [everyone]
    if len(left.companies) > 1 and cue.label in _MUTUAL_KINDS and not _marked(sentence, right, _WITH):
        return _whole(left.companies, sentence, joint=joint)
    if joint:
        return [everyone[:_MAX_PARTIES]]
    pairs: list[Parties] = [(one, other) for one in left.companies for other in right.companies if one != other]
    return pairs[:_MAX_PAIRS]


def _whole(companies: Parties, sentence: Sentence, *, joint: bool) -> list[Parties]:
    if sentence.has(Topic.TEXT, "hub") and not joint:
        return [(companies[0], other) for other in companies[1:]]
    return [companies[:_MAX_PARTIES]]


def partners_listed(sentence: Sentence, cue: Cue, runs: Sequence[Coordination]) -> Parties:
    """Return the companies that the cue's clause lists as partners of a subject it does not name.

    "It already has partnerships with Waymo, Aurora and May Mobility": every company stands after the cue, the first
    of them after "with" or the like, and none stands in an earlier clause.
    """
    clause = sentence.clauses[sentence.clause_of(cue.start)]
    if len(runs) > 1 and all(_marked(sentence, run, _WITH) for run in runs):
        runs = _inside(runs, clause.start, clause.end)
    runs = [run for run in runs if run.start < clause.end]
    after = [run for run in runs if run.start >= cue.start]
    if not after or len(after) < len(runs) or not _marked(sentence, after[0], _WITH):
        return ()
    return after[0].companies[:_MAX_PAIRS]


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
