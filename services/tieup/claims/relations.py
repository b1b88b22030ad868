"""Which relations an article states: the statements of its sentences, gathered by their parties."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
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
from tieup.claims.logit import Features, Models, probability
from tieup.claims.sentences import Stretch
from tieup.claims.ties import CARRIED as CARRIED_HOW
from tieup.claims.ties import CROWD, How, Surroundings, tie_features
from tieup.companies.strangers import is_stranger
from tieup.model.labels import Kind

THRESHOLD = 1.5
"""The least weight of cues that makes a part of a relation one of its own."""

LIKELY = -0.4
"""The least log-odds of a relation: where missing one costs as much as inventing one, a little below even."""

CARRIED = 0.6
"""What a statement weighs whose second party stands in the headline or in the sentence before."""

OTHER_NEWS = 2.0
"""The weight of words (recall, lawsuit, strike) that say what a sentence is, and in a headline the whole article."""

PLAIN = 2.5
"""The least weight of a plain word of agreements ("partnership", "supplies")."""

BARE = 0.3
"""What it weighs that companies are named together, without any word of agreements."""

BARE_LIKELY = 1.0
"""The least log-odds of a relation that no word of agreements states."""

TELLING = -1.0
"""The least log-odds of a statement that speaks for a relation, beside a better one."""

MAX_SUPPLIED = 4
"""Companies of a sentence up to which a partner is supplied from elsewhere."""

FOUNDS = 3.0
"""The least weight of a cue for a joint venture that may leave its parents unnamed."""

TITLE = 1.5
"""How much more a headline weighs."""


@dataclass(frozen=True, eq=False)
class Statement:
    """A sentence that ties parties together by a cue, within a clause.

    `how` the parties were found; `odds`: the log-odds that the cue ties them. `attribute`: it only says which venture
    is meant.
    """

    sentence: Sentence
    clause: Stretch
    cue: Cue
    parties: Parties
    how: How = How.CHOSEN
    attribute: bool = False
    odds: float = 0.0
    features: Features = field(default_factory=dict)

    @property
    def carried(self) -> bool:
        """Whether a party stands elsewhere than in the sentence."""
        return self.how in CARRIED_HOW

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

    `recalled`: split off from the news about its parties. `odds`: the log-odds that it is a relation.
    """

    parties: Parties
    statements: list[Statement] = field(default_factory=list)
    recalled: bool = False
    odds: float = 0.0

    @property
    def best(self) -> float:
        """The log-odds of its most telling statement."""
        return max(one.odds for one in self.statements)

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
    """What a sentence may leave unsaid: the headline's companies, those of the sentence before, the main company, the
    first of the paragraph. `counts`: how often the article names each.
    """

    title: Parties
    topic: str | None
    group_of: GroupOf
    models: Models
    counts: Mapping[str, int]
    previous: Parties = ()
    opener: str | None = None

    @property
    def around(self) -> Surroundings:
        """What of it bears on whether a word ties companies."""
        return Surroundings(self.title, self.topic)

    def after(self, sentence: Sentence) -> "Context":
        """Return the context of the next sentence."""
        named = sentence.companies
        return replace(self, previous=named or self.previous, opener=self.opener or (named[0] if named else None))


def find_drafts(sentences: Sequence[Sentence], group_of: GroupOf, models: Models) -> list[Draft]:
    """Return the relations that the sentences state, in order of their first statement."""
    if _is_other_news(sentences):
        return []
    drafts, ventures = gather(sentences, group_of, models)
    return _without_ventures(accepted(drafts, sentences, models), ventures)


def gather(
    sentences: Sequence[Sentence], group_of: GroupOf, models: Models, *, whole: bool = False
) -> tuple[list[Draft], set[str]]:
    """Return all that may be a relation, each with its statements, and the companies called a joint venture.

    Of the companies that may be meant where a sentence leaves one unsaid, the likeliest is taken; all if `whole`.
    """
    drafts: dict[frozenset[str], Draft] = {}
    ventures: set[str] = set()
    counts = Counter(one.company_id for sentence in sentences for one in sentence.mentions)
    context = Context(_named(sentences), _topic(sentences), group_of, models, counts)
    room = STATEMENTS
    end = 0
    for sentence in sentences:
        if opens := sentence.start - end > 1 or sentence.index < 2:
            context = replace(context, opener=None)
        found = (
            []
            if sentence.weight(Topic.TEXT, "no_relation") >= OTHER_NEWS
            else _statements(sentence, context, opens=opens)
        )
        found = found if whole else _likeliest(found)
        found = found[: min(room, SENTENCE_STATEMENTS)]
        end = sentence.end
        room -= len(found)
        ventures |= ventures_in(sentence)
        for statement in found:
            for parties in split_groups(statement.parties, group_of):
                if frozenset(parties) in drafts or len(drafts) < DRAFTS:
                    draft = drafts.setdefault(frozenset(parties), Draft(parties))
                    draft.statements.append(replace(statement, parties=parties))
        context = context.after(sentence)
    return list(drafts.values()), ventures


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
    titles = [sentence for sentence in sentences if sentence.in_title]
    if any(cue.weight >= OTHER_NEWS for one in titles for cue in one.about(Topic.TEXT, "no_relation")):
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


def _likeliest(statements: Sequence[Statement]) -> list[Statement]:
    """Return the statements: of those of one cue with one company and a supplied partner only the likeliest."""
    best: dict[tuple[int, str], Statement] = {}
    for one in statements:
        if one.how is How.SUPPLIED:
            key = (one.cue.start, one.parties[1])
            if key not in best or one.odds > best[key].odds:
                best[key] = one
    return [one for one in statements if one.how is not How.SUPPLIED or best[one.cue.start, one.parties[1]] is one]


def _statements(sentence: Sentence, context: Context, *, opens: bool) -> list[Statement]:
    runs = coordinate(sentence, in_play(sentence))
    ventures = ventures_in(sentence)
    statements: list[Statement] = []
    for cue in sentence.about(Topic.KIND)[:KIND_CUES] or _bare(sentence):
        play = without_venture(sentence, cue, runs)
        attribute = any(run.hyphened for run in play) and len(runs) > 1
        clause = sentence.clauses[sentence.clause_of(cue.start)]
        for parties, how in _tied(sentence, cue, play, ventures, context):
            features = tie_features(sentence, cue, parties, how, runs, context.around)
            if how is How.SUPPLIED:
                features |= _supply_features(parties[0], sentence, context, opens=opens)
            odds = context.models["tie"].odds(features)
            statements.append(Statement(sentence, clause, cue, parties, how, attribute, odds, features))
    return statements


def _bare(sentence: Sentence) -> list[Cue]:
    """Return the first company's name as the word that ties, where a sentence has no word of agreements."""
    return [Cue(Topic.KIND, "named", BARE, one.start, one.end) for one in sentence.mentions[:1]]


def _tied(
    sentence: Sentence, cue: Cue, play: Sequence[Coordination], ventures: set[str], context: Context
) -> Iterator[tuple[Parties, How]]:
    """Yield the sets of companies that a cue may tie: those that grammar chooses first, then all other pairs."""
    listed = _listed(sentence, cue, play, context)
    chosen = listed or tied_by(sentence, cue, play, context.group_of)
    for parties in chosen:
        yield parties, How.LISTED if listed else How.CHOSEN
    seen = {frozenset(one) for one in chosen}
    for pair in _loose(play, context.group_of):
        if frozenset(pair) not in seen:
            yield pair, How.LOOSE
    if not chosen and not sentence.in_title:
        yield from _supplied(sentence, cue, play, ventures, context)


def _supplied(
    sentence: Sentence, cue: Cue, play: Sequence[Coordination], ventures: set[str], context: Context
) -> Iterator[tuple[Parties, How]]:
    """Yield the sets of companies of which the sentence leaves one or all unsaid."""
    named = [one for one in dict.fromkeys(one for run in play for one in run.companies) if one not in ventures]
    if not named and (both := _the_two(sentence, cue, context)) is not None:
        yield both
    likely = (*context.previous, *context.title, context.topic, context.opener)
    supplied = [one for one in dict.fromkeys(likely) if one is not None and one not in sentence.companies]
    for one in named[:MAX_SUPPLIED]:
        for other in supplied[:MAX_SUPPLIED]:
            if context.group_of(one) != context.group_of(other):
                yield (other, one), How.SUPPLIED


def _supply_features(supplied: str, sentence: Sentence, context: Context, *, opens: bool) -> dict[str, float]:
    """Return what speaks for a company's being the one that a sentence leaves unsaid."""
    return {
        "supplied from title": float(supplied in context.title),
        "supplied from title alone": float((supplied,) == context.title),
        "supplied by topic": float(supplied == context.topic),
        "supplied by opener": float(supplied == context.opener),
        "supplied from before": float(supplied in context.previous),
        "supplied from before alone": float((supplied,) == context.previous),
        "supplied by the first before": float(supplied == next(iter(context.previous), None)),
        "supplied by the most named": float(context.counts[supplied] == max(context.counts.values())),
        "supplied across paragraphs": float(opens and supplied not in (context.topic, *context.title)),
        "opens a paragraph": float(opens),
        "titles": math.log1p(len(context.title)),
        "named before": math.log1p(len(context.previous)),
        "named most here": float(max(context.counts[one] for one in sentence.companies) >= context.counts[supplied]),
    }


def _loose(play: Sequence[Coordination], group_of: GroupOf) -> list[Parties]:
    named = tuple(dict.fromkeys(one for run in play for one in run.companies))
    if len(named) > CROWD:
        return []
    return [pair for pair in combinations(named, 2) if group_of(pair[0]) != group_of(pair[1])]


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


def _the_two(sentence: Sentence, cue: Cue, context: Context) -> tuple[Parties, How] | None:
    """The two companies of the headline, or else of the sentence before, where a sentence says "both" and no name.

    So where it tells of a joint venture and names nobody: a venture has parents, so those of the headline are meant.
    """
    founds = cue.label == Kind.JOINT_VENTURE and cue.weight >= FOUNDS and not sentence.companies
    if not founds and not sentence.has(Topic.TEXT, "both"):
        return None
    wanted = 3 if sentence.has(Topic.TEXT, "trio") else 2
    for named in (context.title, context.previous):
        if len(named) == wanted == len({context.group_of(one) for one in named}):
            return named, How.BOTH
    return None


def accepted(drafts: Sequence[Draft], sentences: Sequence[Sentence], models: Models) -> list[Draft]:
    """Return the drafts that are more likely relations than not, none of them the shadow of a larger one."""
    model = models["relation"]
    strong: list[Draft] = []
    for draft in drafts:
        draft.odds = model.odds(draft_features(draft, drafts, sentences))
        least = BARE_LIKELY if all(one.cue.label == "named" for one in draft.statements) else LIKELY
        if draft.odds > least or _is_plain(draft):
            draft.statements = [one for one in draft.statements if one.odds >= min(TELLING, draft.best)]
            strong.append(draft)
    return [draft for draft in strong if not _is_shadow(draft, strong)]


def _is_plain(draft: Draft) -> bool:
    """Whether a sentence that names just the two ties them by a plain word, and is not of another sort of news."""
    return any(
        one.how is How.CHOSEN
        and one.cue.weight >= PLAIN
        and len(one.sentence.companies) == len(draft.parties) == 2
        and not any(one.sentence.has(Topic.TEXT, label) for label in ("no_relation", "aside", "product"))
        for one in draft.statements
    )


def draft_features(draft: Draft, drafts: Sequence[Draft], sentences: Sequence[Sentence]) -> dict[str, float]:
    """Return what speaks for a draft's being a relation: the odds of its statements, and the rival drafts."""
    odds = sorted((one.odds for one in draft.statements), reverse=True)
    labels = {one.cue.label for one in draft.statements if one.odds > 0}
    return {
        "bias": 1.0,
        "best": max(-6.0, min(6.0, odds[0])),
        "second": probability(odds[1]) if len(odds) > 1 else 0.0,
        "sum": math.log1p(sum(probability(one) for one in odds)),
        "weight": math.log1p(draft.weight),
        "titled": float(draft.in_title),
        "outright": float(draft.is_outright),
        "only links": float(labels <= {"link"}),
        "only open": float(labels <= {"link", Kind.ALLIANCE}),
        "sorts": float(len(labels)),
        "many": float(len(draft.parties) > 2),
        "strangers": float(sum(is_stranger(one) for one in draft.parties)),
        "third of a triangle": float(_is_third(draft, drafts)),
        "outdone": _outdone(draft, drafts),
        "within a larger": float(any(set(draft.parties) < set(other.parties) for other in drafts)),
        "other news": min(3.0, sum(one.weight(Topic.TEXT, "no_relation") for one in sentences[:4])),
    }


def _outdone(draft: Draft, drafts: Sequence[Draft]) -> float:
    """How far the words of the draft rather tie other companies: the least lead of a rival at one of its words."""
    places = {(one.sentence.index, one.cue.start): one.odds for one in draft.statements}
    leads = dict.fromkeys(places, 0.0)
    for other in drafts:
        if other is draft or set(other.parties) <= set(draft.parties):
            continue
        for one in other.statements:
            place = (one.sentence.index, one.cue.start)
            if place in places:
                leads[place] = max(leads[place], probability(one.odds) - probability(places[place]))
    return min(leads.values())


def _is_third(draft: Draft, drafts: Sequence[Draft]) -> bool:
    """Whether both its parties are tied to one other company by better statements: partners of one hub."""
    if len(draft.parties) != 2:
        return False
    own = draft.best
    left, right = (
        {one for other in drafts if party in other.parties and other.best > own for one in other.parties}
        for party in draft.parties
    )
    return bool((left & right) - set(draft.parties))


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
