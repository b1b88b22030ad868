"""Which drafts are thought over, and what of an article is encoded for it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.unit.claims.conftest import AT

from tieup.claims.acceptance import LEAD_CHARACTERS, accepted, article_texts
from tieup.claims.account import Account
from tieup.claims.extract import Extractor
from tieup.claims.logit import Logit
from tieup.claims.meaning import Vector, encode
from tieup.claims.models import load_models
from tieup.claims.relations import gather
from tieup.claims.trees import Trees
from tieup.companies.gazetteer import Gazetteer
from tieup.model.article import Article


def account_of(gazetteer: Gazetteer, text: str, start: float) -> Account:
    """An article as read, every statement as likely as not, every draft with the log-odds `start`."""
    models = replace(load_models(), tie=Logit({}), relation=Trees((), start, ()))
    article = Article("a", 1, "Ford and Xiaomi", text, observed_at=AT, published=AT, language="en")
    account = Extractor(gazetteer, models=models).read(article)
    assert account is not None
    return account


@pytest.mark.parametrize(("start", "encoded"), [(-9.0, 0), (3.0, 1)])
def test_what_no_meaning_would_make_a_relation_is_not_encoded(
    gazetteer: Gazetteer, monkeypatch: pytest.MonkeyPatch, start: float, encoded: int
) -> None:
    calls: list[Sequence[str]] = []

    def encode_and_count(texts: Sequence[str]) -> list[Vector]:
        calls.append(texts)
        return encode(texts)

    monkeypatch.setattr("tieup.claims.acceptance.encode", encode_and_count)
    account = account_of(gazetteer, "Ford was named after Xiaomi on the list.", start)
    drafts, _ = gather(account.sentences, account.group_of, account.models)
    assert drafts
    accepted(drafts, account.sentences, account.models)
    assert len(calls) == encoded


def test_of_a_long_lead_the_beginning_is_encoded(gazetteer: Gazetteer) -> None:
    account = account_of(gazetteer, "Ford said " + "much and " * 40 + "more. Xiaomi said nothing.", 0.0)
    lead, headline = article_texts(account.sentences)
    assert len(lead) == LEAD_CHARACTERS
    assert headline == "Bosch and Bosch"
