"""Extraction: an article in, its relations out. Pure and deterministic."""

from collections.abc import Sequence
from dataclasses import replace

from tieup.articles.signature import ALGORITHM, sign
from tieup.claims.account import Account
from tieup.claims.confidence import Confidences, load_confidences, rated
from tieup.claims.lexicon.load import LANGUAGES, load_lexicon, load_media
from tieup.claims.media import MediaFinder
from tieup.claims.models import Models, load_models
from tieup.claims.reading import Reader
from tieup.claims.relations import named_together
from tieup.claims.variants import merge_variants
from tieup.claims.wanted import speaks_of_tie
from tieup.companies.gazetteer import Gazetteer
from tieup.companies.matcher import Matcher
from tieup.companies.namesakes import load_namesakes
from tieup.companies.stranger_rules import load_stranger_rules
from tieup.companies.strangers import StrangerFinder, is_stranger, strangers_in
from tieup.model.article import Article
from tieup.model.relation import ArticleRelations, Relation, Signature

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

    def __init__(
        self,
        gazetteer: Gazetteer,
        confidences: Confidences | None = None,
        models: Models | None = None,
        *,
        find_strangers: bool = True,
    ) -> None:
        """Without `find_strangers` only the companies of the gazetteer are parties."""
        self._gazetteer = gazetteer
        self._models = load_models() if models is None else models
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
        strangers = strangers_in(one for named in mentions for one in named)
        gazetteer = self._gazetteer.including(strangers) if strangers else self._gazetteer
        return any(mentions) and speaks_of_tie(self._reader.read(article, mentions, lexicon, gazetteer))

    def read(self, article: Article) -> Account | None:
        """Return the article as read; None where it can state no relation.

        That is where its language has no lexicon, where all companies are of one group, or none is automotive.
        """
        lexicon = self._lexicons.get(article.language or "")
        if lexicon is None:
            return None
        mentions = self._reader.companies(article)
        strangers = strangers_in(one for named in mentions for one in named)
        gazetteer = self._gazetteer.including(strangers) if strangers else self._gazetteer
        year = UNDATED if article.published is None else article.event_time.year - 1
        groups = {
            one.company_id: gazetteer.ultimate_parent(one.company_id, year) for named in mentions for one in named
        }
        if len(set(groups.values())) < 2 or not any(gazetteer.get(one).automotive for one in groups):
            return None
        sentences = self._reader.read(article, mentions, lexicon, gazetteer)
        return Account(article, sentences, groups.__getitem__, gazetteer, self._models)

    def _relations(self, article: Article) -> tuple[Relation, ...]:
        account = self.read(article)
        if account is None:
            return ()
        relations = account.relations(account.scopes())
        together = named_together(account.sentences)
        merged = merge_variants(relations, account.gazetteer, together)[:MAX_RELATIONS]
        return rated(without_strangers(merged), self._confidences)


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
