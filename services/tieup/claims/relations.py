"""Which relations an article states: the statements of its sentences, gathered by their parties."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from tieup.claims.acceptance import accepted
from tieup.claims.bounds import DRAFTS, KIND_CUES, SENTENCE_STATEMENTS, STATEMENTS
from tieup.claims.drafts import Draft, Statement
from tieup.claims.lexicon.load import Topic
from tieup.claims.models import Models
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
from tieup.claims.ties import CROWD, How, Surroundings, tie_features
from tieup.model.labels import Kind

OTHER_NEWS = 2.0
"""The weight of words (recall, lawsuit, strike) that say what a sentence is, and in a headline the whole article."""

BARE = 0.3
"""What it weighs that companies are named together, without any word of agreements."""

MAX_SUPPLIED = 4
"""Companies of a sentence up to which a partner is supplied from elsewhere."""

FOUNDS = 3.0
"""The least weight of a cue for a joint venture that may leave its parents unnamed."""


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
        mute = room <= 0 or sentence.weight(Topic.TEXT, "no_relation") >= OTHER_NEWS
        found = [] if mute else _statements(sentence, context, opens=opens)
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
            odds = context.models.tie.odds(features)
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
    resumed = len(context.title) > 1 and any(one in context.title for one in context.previous)
    likely = context.previous if resumed else (*context.previous, *context.title, context.topic, context.opener)
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


def named_together(sentences: Sequence[Sentence]) -> frozenset[frozenset[str]]:
    """Return the pairs of companies that the article names side by side ("Hyundai and Kia"): each its own party."""
    return frozenset(
        frozenset(pair)
        for sentence in sentences
        for run in coordinate(sentence, sentence.mentions)
        for pair in combinations(run.companies, 2)
    )
