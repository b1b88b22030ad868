"""An article as read, and the relations that it states, with their labels."""

from collections.abc import Collection, Container, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from tieup.claims.attribution import read_claims, read_origin
from tieup.claims.bounds import CONTEXT
from tieup.claims.choices import Choices, factuality_choices, kind_choices, stage_choices
from tieup.claims.confidence import product
from tieup.claims.drafts import Draft
from tieup.claims.factuality import FactualityReading, read_factuality
from tieup.claims.figures import read_figures
from tieup.claims.focus import read_focus
from tieup.claims.kind import read_kind
from tieup.claims.lexicon.load import Topic
from tieup.claims.logit import probability
from tieup.claims.models import Models
from tieup.claims.parties import GroupOf
from tieup.claims.reading import Sentence
from tieup.claims.relations import find_drafts, ventures_in
from tieup.claims.roles import read_roles
from tieup.claims.splitting import split_draft
from tieup.claims.stage import read_binding, read_ended_as, read_milestones, read_stage, stage_votes
from tieup.claims.votes import Scope, Vote
from tieup.companies.gazetteer import Gazetteer
from tieup.companies.strangers import is_doubtful
from tieup.model.article import Article
from tieup.model.labels import Basis, Factuality, Focus, Kind, Stage
from tieup.model.relation import Evidence, JudgementConfidences, Party, Relation


@dataclass(frozen=True, slots=True)
class Account:
    """An article's sentences, and what is known for reading them: of the companies, and of the weight of words."""

    article: Article
    sentences: Sequence[Sentence]
    group_of: GroupOf
    gazetteer: Gazetteer
    models: Models

    def _is_automotive(self, draft: Draft) -> bool:
        """A tie counts if a party is of the automotive world, or if its sentences speak of vehicles.

        They must, where a party is only taken for a company because it stands beside one.
        """
        if any(is_doubtful(one) for one in draft.parties):
            return any(sentence.has(Topic.TEXT, "vehicle") for sentence in draft.sentences)
        return any(self.gazetteer.get(one).automotive for one in draft.parties) or any(
            sentence.has(Topic.TEXT, "vehicle") for sentence in draft.sentences
        )

    def scopes(self) -> list[tuple[Scope, bool]]:
        """Return the relations with what may speak about each, and whether the article is about it."""
        found = [one for one in find_drafts(self.sentences, self.group_of, self.models) if self._is_automotive(one)]
        drafts = [part for one in found for part in split_draft(one)]
        main = main_drafts(drafts, self.sentences)
        return [(scope_of(one, drafts, self.sentences, main=one in main), one in main) for one in drafts]

    def choices(self, label: str, scope: Scope, *, main: bool) -> Choices:
        """Return the features of each value that a label may take: what the weights are fitted to."""
        if label == "kind":
            return kind_choices(scope, scope.kind_votes(), self._sectors(scope.draft))
        focus = read_focus(scope, main=main, first_text=_first_text(self.sentences)).focus
        kind = read_kind(scope, self._sectors(scope.draft), self.models).kind
        if label == "stage":
            return stage_choices(scope, stage_votes(scope), focus, kind)
        return factuality_choices(scope, read_stage(scope, focus, kind, self.models).stage, focus)

    def relations(self, scopes: Sequence[tuple[Scope, bool]]) -> list[Relation]:
        """Return the relations with their labels, one for each scope."""
        relations = [self._label(scope, main=main) for scope, main in scopes]
        mains = [relation for relation, (_, main) in zip(relations, scopes, strict=True) if main]
        return as_reported(relations, mains)

    def _label(self, scope: Scope, *, main: bool) -> Relation:
        kind = read_kind(scope, self._sectors(scope.draft), self.models)
        focus = read_focus(scope, main=main, first_text=_first_text(self.sentences))
        stage = read_stage(scope, focus.focus, kind.kind, self.models)
        factuality = read_factuality(scope, stage.stage, focus.focus, self.models)
        settled = _settled(stage.stage, factuality)
        told = main and factuality.factuality is not Factuality.CONFIRMED
        origin, credit = read_origin(scope, self.sentences, self.article.publisher, main=told)
        milestones = read_milestones(scope)
        binding = read_binding(scope)
        roles = read_roles(scope, kind.kind)
        figures = read_figures(scope, self.article.language, self.gazetteer)
        stated = round(probability(scope.draft.odds), 4)
        sure = JudgementConfidences(stated, kind.share, stage.share, factuality.share)
        shown = [
            _shown("kind", kind.vote),
            _shown("stage", stage.vote),
            _shown("factuality", factuality.vote),
            _shown("focus", focus.vote),
            _shown("binding", binding[1] if binding else None),
            *(_shown("milestone", vote) for _, vote in milestones),
            *(evidence for _, evidence in figures),
            credit,
        ]
        return Relation(
            parties=tuple(Party(self.gazetteer.get(one).name, one, roles.get(one)) for one in scope.draft.parties),
            kind=kind.kind,
            stage=settled,
            factuality=factuality.factuality,
            basis=factuality.basis,
            focus=focus.focus,
            binding=binding[0] if binding else None,
            milestones=tuple(milestone for milestone, _ in milestones),
            figures=tuple(figure for figure, _ in figures),
            venture=self._venture(scope, kind.kind),
            ended_as=read_ended_as(scope) if settled is Stage.ENDED else None,
            claims=read_claims(scope, settled, factuality, origin, self.gazetteer),
            origin=origin,
            evidence=(*_party_evidence(scope), *(one for one in shown if one is not None)),
            confidence=product(sure),
            in_title=scope.draft.in_title,
            confidences=sure,
        )

    def _sectors(self, draft: Draft) -> list[Collection[str]]:
        return [self.gazetteer.get(one).sectors for one in draft.parties]

    def _venture(self, scope: Scope, kind: Kind) -> str | None:
        """The name of the joint venture, where the relation's sentences call a known company so."""
        if kind is not Kind.JOINT_VENTURE:
            return None
        named = sorted({one for sentence in scope.draft.sentences for one in ventures_in(sentence)})
        return next((self.gazetteer.get(one).name for one in named if one not in scope.draft.parties), None)


def as_reported(relations: Sequence[Relation], main: Sequence[Relation]) -> list[Relation]:
    """Return the relations, talks that nobody vouches for reported where the article's main matter is not confirmed."""
    source = next((one for one in main if one.factuality is not Factuality.CONFIRMED), None)
    if source is None:
        return list(relations)
    basis = source.basis if source.factuality is Factuality.REPORTED else Basis.MEDIUM
    return [
        replace(one, factuality=Factuality.REPORTED, basis=basis, origin=source.origin)
        if (one.stage, one.focus, one.basis) == (Stage.TALKS, Focus.NEWS, Basis.NARRATION)
        else one
        for one in relations
    ]


def _settled(stage: Stage, factuality: FactualityReading) -> Stage:
    """Return the stage that the factuality leaves: what is denied are talks, and a denied end leaves a running tie."""
    if factuality.factuality is Factuality.DENIED:
        return Stage.TALKS
    return Stage.ACTIVE if factuality.vote is not None and factuality.vote.cue.label == "denies_end" else stage


def main_drafts(drafts: Sequence[Draft], sentences: Sequence[Sentence]) -> list[Draft]:
    """Return the relations that the article is about: the headline's, or else the first of the text."""
    drafts = [draft for draft in drafts if not draft.recalled]
    named = {one for sentence in sentences if sentence.in_title for one in sentence.companies}
    titled = [draft for draft in drafts if draft.in_title or named == set(draft.parties)]
    titled = [draft for draft in titled if not draft.is_attribute] or titled
    if titled or not drafts:
        return titled
    first = min(draft.first for draft in drafts)
    return [draft for draft in drafts if draft.first == first and first <= _first_text(sentences) + 1]


def scope_of(draft: Draft, drafts: Sequence[Draft], sentences: Sequence[Sentence], *, main: bool) -> Scope:
    """Return what may speak about a relation's labels: its sentences, and others that state no other relation.

    For a main one these are all that speak of it; for another those that follow right upon its own.
    """
    own = {sentence.index for sentence in draft.sentences}
    others = {sentence.index for other in drafts if other is not draft for sentence in other.sentences}
    free = (one for one in sentences if one.index not in own and one.index not in others)
    speaking = (one for one in free if _speaks_of(one, draft) and (main or _follows(one, own, draft)))
    context = tuple(islice(speaking, CONTEXT))
    return Scope(draft, context, tuple(other for other in drafts if other is not draft))


def _follows(sentence: Sentence, own: Container[int], draft: Draft) -> bool:
    """Whether a sentence right after the relation's own takes a stance and names nobody else."""
    near = sentence.index - 1 in own and bool(sentence.about(Topic.STANCE))
    return near and set(sentence.companies) <= set(draft.parties)


def _speaks_of(sentence: Sentence, draft: Draft) -> bool:
    parties = set(draft.parties)
    if sentence.companies:
        named = parties.intersection(sentence.companies)
        alone = len(named) == len(sentence.companies) or len(named) > 1
        return bool(named) and (alone or bool(sentence.about(Topic.STANCE)))
    return (
        sentence.has(Topic.TEXT, "both")
        or sentence.has(Topic.TEXT, "matter")
        or sentence.has(Topic.SOURCE, "anonymous")
        or sentence.has(Topic.SOURCE, "authority")
        or bool(sentence.about(Topic.STANCE))
    )


def _first_text(sentences: Sequence[Sentence]) -> int:
    return next((sentence.index for sentence in sentences if not sentence.in_title), 0)


def _shown(label: str, vote: Vote | None) -> Evidence | None:
    return None if vote is None else vote.sentence.evidence(label, vote.cue.start, vote.cue.end)


def _party_evidence(scope: Scope) -> list[Evidence]:
    """The relation's first telling sentence, and in it the parties' names."""
    sentence = max(scope.draft.statements, key=lambda one: one.weight).sentence
    names = [
        sentence.evidence("party", one.start, one.end)
        for one in sentence.mentions
        if one.company_id in scope.draft.parties
    ]
    return [sentence.evidence("relation"), *names]
