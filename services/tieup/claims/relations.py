"""Which relations an article states: the statements of its sentences, gathered by their parties."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations

from tieup.claims.bounds import DRAFTS, KIND_CUES, SENTENCE_STATEMENTS, STATEMENTS
from tieup.claims.lexicon.load import Topic
from tieup.claims.parties import (
    Coordination,
    GroupOf,
    Parties,
    coordinate,
    in_play,
    partners_listed,
    split_groups,
    tied_by,
    without_venture,
)
from tieup.claims.reading import Cue, Sentence
from tieup.claims.sentences import Stretch
from tieup.model.labels import Kind

THRESHOLD = 1.5
"""The least weight of kind cues that makes a relation; one plain word of tie-ups ("partnership") weighs 2."""

CARRIED = 0.6
"""What a statement weighs whose second party stands in the headline or in the sentence before."""

OTHER_NEWS = 2.0
"""The weight of words (recall, lawsuit, strike) that in a headline say what the whole article is."""

CARRIED_THRESHOLD = 1.6
"""The least weight of a relation whose parties no sentence names together, beside one that a sentence does name."""

CARRIED_ALONE = 2.0
"""The least weight of such a relation where the article names none outright."""

FOUNDS = 3.0
"""The least weight of a cue for a joint venture that may leave its parents unnamed."""

TITLE = 1.5
"""How much more a headline weighs."""


@dataclass(frozen=True, eq=False)
class Statement:
    """A sentence that ties parties together by a cue, within a clause. `carried`: a party stands elsewhere."""

    sentence: Sentence
    clause: Stretch
    cue: Cue
    parties: Parties
    carried: bool = False
    attribute: bool = False

    @cached_property
    def extent(self) -> Stretch:
        """From the first to the last of the cue and, for each party, its mention nearest to the cue."""
        places = [(self.cue.start, self.cue.end)]
        for party in self.parties:
            named = [one for one in self.sentence.mentions if one.company_id == party]
            if named:
                near = min(named, key=lambda one: abs(one.start - self.cue.start))
                places.append((near.start, near.end))
        return Stretch(min(start for start, _ in places), max(end for _, end in places))

    @property
    def weight(self) -> float:
        """How strongly the statement says that there is a relation."""
        factor = TITLE if self.sentence.in_title else 1.0
        return self.cue.weight * factor * (CARRIED if self.carried else 1.0)


@dataclass(slots=True, eq=False)
class Draft:
    """A relation in the making: its parties and its statements.

    `recalled`: split off from the news about its parties.
    """

    parties: Parties
    statements: list[Statement] = field(default_factory=list)
    recalled: bool = False

    @property
    def weight(self) -> float:
        """The summed weight of its statements, each cue once."""
        return weigh(self.statements)

    @property
    def sentences(self) -> list[Sentence]:
        """Its sentences, in order, each once."""
        return list({one.sentence.index: one.sentence for one in self.statements}.values())

    @property
    def in_title(self) -> bool:
        """Whether the headline states it, with all its parties."""
        return any(one.sentence.in_title and not one.carried for one in self.statements)

    @property
    def is_outright(self) -> bool:
        """Whether one sentence names all its parties."""
        return any(not one.carried for one in self.statements)

    @property
    def is_attribute(self) -> bool:
        """Whether the headline only uses it to say which venture is meant ("buys into the Renault-Geely venture")."""
        stated = [one for one in self.statements if one.sentence.in_title]
        return bool(stated) and all(one.attribute for one in stated)

    @property
    def first(self) -> int:
        """The index of its first sentence."""
        return min(one.sentence.index for one in self.statements)


@dataclass(frozen=True, slots=True)
class Context:
    """What a sentence may leave unsaid: the headline's companies, those of the sentence before, the main company."""

    title: Parties
    previous: Parties
    topic: str | None
    group_of: GroupOf


def find_drafts(sentences: Sequence[Sentence], group_of: GroupOf) -> list[Draft]:
    """Return the relations that the sentences state, in order of their first statement."""
    if _is_other_news(sentences):
        return []
    drafts: dict[frozenset[str], Draft] = {}
    ventures: set[str] = set()
    context = Context(_named(sentences), (), _topic(sentences), group_of)
    room = STATEMENTS
    for sentence in sentences:
        found = [] if sentence.weight(Topic.TEXT, "no_relation") >= 1 else _statements(sentence, context)
        found = found[: min(room, SENTENCE_STATEMENTS)]
        room -= len(found)
        ventures |= ventures_in(sentence)
        for statement in found:
            for parties in split_groups(statement.parties, group_of):
                if frozenset(parties) in drafts or len(drafts) < DRAFTS:
                    draft = drafts.setdefault(frozenset(parties), Draft(parties))
                    draft.statements.append(replace(statement, parties=parties))
        context = replace(context, previous=sentence.companies or context.previous)
    return _without_ventures(_pruned(list(drafts.values())), ventures)


def ventures_in(sentence: Sentence) -> set[str]:
    """The companies that the sentence calls a joint venture."""
    runs = coordinate(sentence, in_play(sentence))
    found: set[str] = set()
    for cue in sentence.about(Topic.KIND, Kind.JOINT_VENTURE)[:KIND_CUES]:
        founders = without_venture(sentence, cue, runs)
        found.update(one for run in runs if not run.hyphened and run not in founders for one in run.companies)
    return found


def _without_ventures(drafts: list[Draft], ventures: set[str]) -> list[Draft]:
    """Return the relations without the ties of a venture to its own founders."""
    founded = [set(one.parties) for one in drafts if any(said.cue.label == "joint_venture" for said in one.statements)]
    return [
        one
        for one in drafts
        if not ventures.intersection(one.parties)
        or not any(
            set(one.parties) - ventures <= founders - ventures for founders in founded if not founders & ventures
        )
    ]


def _is_other_news(sentences: Sequence[Sentence]) -> bool:
    """Sponsoring, fashion, comparison tests: in the headline or twice, they make the whole article another sort.

    So do recalls, lawsuits and strikes in the headline.
    """
    if any(sentence.in_title and sentence.weight(Topic.TEXT, "no_relation") >= OTHER_NEWS for sentence in sentences):
        return True
    marks = [sentence for sentence in sentences if sentence.has(Topic.TEXT, "no_article")]
    return len(marks) > 1 or any(sentence.in_title for sentence in marks)


def _named(sentences: Sequence[Sentence]) -> Parties:
    """The companies of the headline."""
    named = (one.company_id for sentence in sentences if sentence.in_title for one in in_play(sentence))
    return tuple(dict.fromkeys(named))


def _topic(sentences: Sequence[Sentence]) -> str | None:
    """The headline's first company if the text names it too, else the one that the article names most."""
    titled = [one.company_id for sentence in sentences if sentence.in_title for one in sentence.mentions]
    if titled and any(titled[0] in sentence.companies for sentence in sentences if not sentence.in_title):
        return titled[0]
    counts: dict[str, int] = {}
    for sentence in sentences:
        for one in sentence.mentions:
            counts[one.company_id] = counts.get(one.company_id, 0) + 1 + sentence.in_title
    return max(counts, key=counts.__getitem__) if counts else None


def _statements(sentence: Sentence, context: Context) -> list[Statement]:
    runs = coordinate(sentence, in_play(sentence))
    ventures = ventures_in(sentence)
    statements: list[Statement] = []
    for cue in sentence.about(Topic.KIND)[:KIND_CUES]:
        clause = sentence.clauses[sentence.clause_of(cue.start)]
        play = without_venture(sentence, cue, runs)
        sets = _listed(sentence, cue, play, context) or tied_by(sentence, cue, play, context.group_of)
        attribute = any(run.hyphened for run in play) and len(runs) > 1
        statements += [Statement(sentence, clause, cue, parties, attribute=attribute) for parties in sets]
        if not sets and (pair := _carried(sentence, cue, _first_named(play, ventures), context)):
            statements.append(Statement(sentence, clause, cue, pair, carried=True))
    return statements


def _listed(sentence: Sentence, cue: Cue, runs: Sequence[Coordination], context: Context) -> list[Parties]:
    """Return the main company with each of the partners that the sentence lists for it, without naming it."""
    topic = context.topic
    if topic is None:
        return []
    theirs = sentence.has(Topic.TEXT, "theirs") and cue.label == Kind.ALLIANCE
    listed = runs[0].companies if theirs and runs else partners_listed(sentence, cue, runs)
    alone = len(sentence.companies) == 1
    if not listed or alone or topic in sentence.companies[:1] or topic in listed:
        return []
    return [(topic, one) for one in listed if context.group_of(one) != context.group_of(topic)]


def _first_named(runs: Sequence[Coordination], ventures: set[str]) -> str | None:
    return next((one for run in runs for one in run.companies if one not in ventures), None)


def _carried(sentence: Sentence, cue: Cue, named: str | None, context: Context) -> Parties | None:
    """Return the company named and the one that the context supplies: the headline's, or the sentence before's.

    Where the sentence names none but says "both", the headline's two are meant, or those of the sentence before.
    """
    if sentence.in_title:
        return None
    if named is None:
        return _the_two(sentence, cue, context)
    topic = (context.topic,) if context.topic is not None else ()
    for supplied in (context.title, context.previous, topic):
        others = [one for one in supplied if context.group_of(one) != context.group_of(named)]
        if len(others) == 1:
            return (others[0], named)
    return None


def _the_two(sentence: Sentence, cue: Cue, context: Context) -> Parties | None:
    """The two companies of the headline, or else of the sentence before, where a sentence says "both" and no name.

    So where it tells of a joint venture and names nobody: a venture has parents, so those of the headline are meant.
    """
    founds = cue.label == Kind.JOINT_VENTURE and cue.weight >= FOUNDS and not sentence.companies
    if not founds and not sentence.has(Topic.TEXT, "both"):
        return None
    wanted = 3 if sentence.has(Topic.TEXT, "trio") else 2
    for named in (context.title, context.previous):
        if len(named) == wanted == len({context.group_of(one) for one in named}):
            return named
    return None


def _pruned(drafts: list[Draft]) -> list[Draft]:
    outright = [draft for draft in drafts if draft.weight >= THRESHOLD and draft.is_outright]
    least = CARRIED_THRESHOLD if outright else CARRIED_ALONE
    carried = [draft for draft in drafts if not draft.is_outright and draft.weight >= least]
    strong = [draft for draft in drafts if draft in outright or draft in carried]
    return [draft for draft in strong if not _is_shadow(draft, strong)]


def _is_shadow(draft: Draft, drafts: list[Draft]) -> bool:
    """A pair whose every statement is also one of a larger set is that set's shadow."""
    cues = {(one.sentence.index, one.cue.start) for one in draft.statements}
    return any(
        set(draft.parties) < set(other.parties)
        and cues <= {(one.sentence.index, one.cue.start) for one in other.statements}
        for other in drafts
    )


def named_together(sentences: Sequence[Sentence]) -> frozenset[frozenset[str]]:
    """Return the pairs of companies that the article names side by side ("Hyundai and Kia"): each its own party."""
    return frozenset(
        frozenset(pair)
        for sentence in sentences
        for run in coordinate(sentence, sentence.mentions)
        for pair in combinations(run.companies, 2)
    )


def weigh(statements: Sequence[Statement]) -> float:
    """Return the summed weight of statements, the weightiest of those whose cues start at the same place."""
    best: dict[tuple[int, int], float] = {}
    for one in statements:
        place = (one.sentence.index, one.cue.start)
        best[place] = max(best.get(place, 0.0), one.weight)
    return round(sum(best.values()), 4)
