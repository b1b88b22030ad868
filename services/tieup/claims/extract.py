"""Extraction: an article in, its relations out. Pure and deterministic."""

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from itertools import islice

from tieup.articles.signature import ALGORITHM, sign
from tieup.claims.attribution import read_claims, read_origin
from tieup.claims.bounds import CONTEXT
from tieup.claims.confidence import Table, load_confidences, look_up, score
from tieup.claims.factuality import FactualityReading, read_factuality
from tieup.claims.figures import read_figures
from tieup.claims.focus import read_focus
from tieup.claims.kind import read_kind
from tieup.claims.lexicon.load import LANGUAGES, Lexicon, Topic, load_lexicon, load_media
from tieup.claims.media import MediaFinder
from tieup.claims.reading import Reader, Sentence
from tieup.claims.relations import Draft, find_drafts, named_together, ventures_in
from tieup.claims.roles import read_roles
from tieup.claims.splitting import split_draft
from tieup.claims.stage import read_binding, read_ended_as, read_milestones, read_stage
from tieup.claims.variants import merge_variants
from tieup.claims.votes import Scope, Vote
from tieup.claims.wanted import speaks_of_tie
from tieup.companies.company import Company
from tieup.companies.gazetteer import Gazetteer
from tieup.companies.matcher import Matcher, Mention
from tieup.companies.namesakes import load_namesakes
from tieup.companies.stranger_rules import load_stranger_rules
from tieup.companies.strangers import StrangerFinder, is_doubtful, is_stranger, strangers_in
from tieup.model.article import Article
from tieup.model.labels import Basis, Factuality, Focus, Kind, Stage
from tieup.model.relation import ArticleRelations, Evidence, Party, Relation, Signature

EXTRACTOR = "1"
"""The version of the rules and lexicons; it goes out with every record."""

UNDATED = 1
"""The year of an article without a date: of an archive, so groups that grew together later still count as apart."""

MAX_RELATIONS = 24

UNSIGNED = Signature(ALGORITHM, (), ())


def is_published(version: int, relations: Sequence[Relation]) -> bool:
    """Say whether what an article states goes out: also nothing, from version 2 on, to take back what was stated."""
    return bool(relations) or version > 1


class Extractor:
    """Extracts the relations that articles state; immutable, so one serves many threads."""

    def __init__(self, gazetteer: Gazetteer, confidences: Table | None = None, *, find_strangers: bool = True) -> None:
        """Without `find_strangers` only the companies of the gazetteer are parties."""
        self._gazetteer = gazetteer
        self._confidences = load_confidences() if confidences is None else confidences
        media = load_media()
        names = [name for medium in media for name in (medium.name, *medium.aliases)]
        strangers = StrangerFinder(load_stranger_rules(), names) if find_strangers else None
        self._reader = Reader(Matcher(gazetteer), MediaFinder(media), load_namesakes(gazetteer), strangers)
        self._lexicons = {language: load_lexicon(language) for language in LANGUAGES}

    def extract(self, article: Article) -> ArticleRelations:
        """Return what the article states. Languages without a lexicon give no relations: undecided, not guessed.

        An article is signed where its record goes out (see `is_published`), else the signature is empty.
        """
        relations = self._relations(article)
        published = is_published(article.version, relations)
        return ArticleRelations(
            article_id=article.id,
            version=article.version,
            title=article.title,
            observed_at=article.observed_at,
            event_time=article.event_time,
            relations=relations,
            signature=sign(article.text, article.title) if published else UNSIGNED,
            url=article.url,
            publisher=article.publisher,
            domain=article.domain,
            language=article.language,
            published=article.published,
            backfill=article.backfill,
            extractor=EXTRACTOR,
            excerpt=article.excerpt,
        )

    def may_tie(self, article: Article) -> bool:
        """Say whether the article names a company and speaks of a tie, in a language that has a lexicon."""
        lexicon = self._lexicons.get(article.language or "")
        if lexicon is None:
            return False
        mentions = self._reader.companies(article)
        return any(mentions) and speaks_of_tie(self._reader.read(article, mentions, lexicon))

    def _relations(self, article: Article) -> tuple[Relation, ...]:
        lexicon = self._lexicons.get(article.language or "")
        if lexicon is None:
            return ()
        mentions = self._reader.companies(article)
        if strangers := strangers_in(one for named in mentions for one in named):
            return without_strangers(self._knowing(strangers).stated(article, lexicon, mentions))
        return self.stated(article, lexicon, mentions)

    def _knowing(self, strangers: Sequence[Company]) -> "Extractor":
        """Return the extractor for an article that names companies beside those of the gazetteer."""
        wider = copy(self)
        vars(wider)["_gazetteer"] = self._gazetteer.including(strangers)
        return wider

    def stated(
        self, article: Article, lexicon: Lexicon, mentions: tuple[list[Mention], list[Mention]]
    ) -> tuple[Relation, ...]:
        """Return the relations between the companies mentioned in the title and in the text."""
        year = UNDATED if article.published is None else article.event_time.year - 1
        groups = {
            one.company_id: self._gazetteer.ultimate_parent(one.company_id, year) for named in mentions for one in named
        }
        if len(set(groups.values())) < 2 or not any(self._gazetteer.get(one).automotive for one in groups):
            return ()
        sentences = self._reader.read(article, mentions, lexicon)
        found = [one for one in find_drafts(sentences, groups.__getitem__) if self._is_automotive(one)]
        drafts = [part for one in found for part in split_draft(one)]
        return self._labelled(article, sentences, drafts)

    def _is_automotive(self, draft: Draft) -> bool:
        """A tie counts if a party is of the automotive world, or if its sentences speak of vehicles.

        They must, where a party is only taken for a company because it stands beside one.
        """
        if any(is_doubtful(one) for one in draft.parties):
            return any(sentence.has(Topic.TEXT, "vehicle") for sentence in draft.sentences)
        return any(self._gazetteer.get(one).automotive for one in draft.parties) or any(
            sentence.has(Topic.TEXT, "vehicle") for sentence in draft.sentences
        )

    def _labelled(
        self, article: Article, sentences: Sequence[Sentence], drafts: Sequence[Draft]
    ) -> tuple[Relation, ...]:
        main = main_drafts(drafts, sentences)
        relations: list[Relation] = []
        for draft in drafts:
            scope = scope_of(draft, drafts, sentences, main=draft in main)
            relations.append(self._label(article, scope, sentences, main=draft in main))
        relations = as_reported(
            relations, [relation for draft, relation in zip(drafts, relations, strict=True) if draft in main]
        )
        return merge_variants(relations, self._gazetteer, named_together(sentences))[:MAX_RELATIONS]

    def _label(self, article: Article, scope: Scope, sentences: Sequence[Sentence], *, main: bool) -> Relation:
        kind = read_kind(scope)
        focus = read_focus(scope, main=main, first_text=_first_text(sentences))
        stage = read_stage(scope, focus.focus)
        factuality = read_factuality(scope, stage.stage, focus.focus)
        settled = _settled(stage.stage, factuality)
        told = main and factuality.factuality is not Factuality.CONFIRMED
        origin, credit = read_origin(scope, sentences, article.publisher, main=told)
        milestones = read_milestones(scope)
        binding = read_binding(scope)
        roles = read_roles(scope, kind.kind)
        figures = read_figures(scope, article.language, self._gazetteer)
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
            parties=tuple(Party(self._gazetteer.get(one).name, one, roles.get(one)) for one in scope.draft.parties),
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
            claims=read_claims(scope, settled, factuality, origin, self._gazetteer),
            origin=origin,
            evidence=(*_party_evidence(scope), *(one for one in shown if one is not None)),
            confidence=look_up(self._confidences, score(scope.draft.weight, kind.share, stage.share)),
            in_title=scope.draft.in_title,
        )

    def _venture(self, scope: Scope, kind: Kind) -> str | None:
        """The name of the joint venture, where the relation's sentences call a known company so."""
        if kind is not Kind.JOINT_VENTURE:
            return None
        named = sorted({one for sentence in scope.draft.sentences for one in ventures_in(sentence)})
        return next((self._gazetteer.get(one).name for one in named if one not in scope.draft.parties), None)


def without_strangers(relations: Sequence[Relation]) -> tuple[Relation, ...]:
    """Return the relations, with no id where the gazetteer lacks the company."""
    return tuple(
        replace(
            one,
            parties=tuple(replace(party, id=_known(party.id)) for party in one.parties),
            claims=tuple(replace(claim, company_id=_known(claim.company_id)) for claim in one.claims),
        )
        for one in relations
    )


def _known(company_id: str | None) -> str | None:
    return None if company_id is None or is_stranger(company_id) else company_id


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
    """Return what may speak about a relation's labels: its sentences, and for a main one those that state no other."""
    own = {sentence.index for sentence in draft.sentences}
    others = {sentence.index for other in drafts if other is not draft for sentence in other.sentences}
    speaking = (
        sentence
        for sentence in sentences
        if sentence.index not in own and sentence.index not in others and _speaks_of(sentence, draft)
    )
    context = tuple(islice(speaking, CONTEXT)) if main else ()
    return Scope(draft, context, tuple(other for other in drafts if other is not draft))


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
