"""Stories on labelled relations, without extraction: better than taking the main relation's parties for the story."""

from collections.abc import Hashable

from tests.unit.stories.labelled import records
from tests.unit.stories.making import take

from tieup.companies.gazetteer import load_gazetteer
from tieup.evaluation.measures import bcubed_f1
from tieup.model.codec import decode
from tieup.model.labels import Focus
from tieup.model.relation import ArticleRelations
from tieup.stories.statements import by_weight
from tieup.stories.worker import StoryWorker


def test_stories_beat_the_trivial_baseline() -> None:
    gazetteer = load_gazetteer()
    worker = StoryWorker(gazetteer)
    gold: list[Hashable] = []
    told: list[Hashable] = []
    baseline: list[Hashable] = []
    for row, given in records(gazetteer):
        take(worker, given)
        found = decode(ArticleRelations, given.value, "labelled")
        ids = worker.memory.assignments[found.article_id].story_ids
        news = [at for at in by_weight(found.relations) if found.relations[at].focus is Focus.NEWS]
        gold.append(row["story"] or row["id"])
        told.append(next((ids[at] for at in news if ids[at]), row["id"]))
        parties = found.relations[news[0]].parties if news else ()
        baseline.append(frozenset(party.id or party.name for party in parties) or row["id"])
    score, trivial = bcubed_f1(gold, told), bcubed_f1(gold, baseline)
    assert score is not None
    assert trivial is not None
    assert score >= 0.94
    assert score >= trivial + 0.03
