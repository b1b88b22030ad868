from dataclasses import replace
from datetime import timedelta

import pytest
from tests.unit.stories.making import GAZETTEER, article, relation

from tieup.model.labels import EventType, Factuality, Milestone, PartyStance, Stage
from tieup.model.story import EventChange, PartyPosition
from tieup.stories.changes import Step, changes, corroboration, event_type
from tieup.stories.lifecycle import Labels, fold
from tieup.stories.statements import statement

found = article("a", relation("Ford", "Xiaomi"))
LABELS: Labels = fold([statement(found, found.relations, GAZETTEER, None).article], [])
DENYING = (PartyPosition("ford", PartyStance.DENIES),)
DENIED = {"factuality": Factuality.DENIED}
CONFIRMED = {"factuality": Factuality.CONFIRMED}


def after(**given: object) -> Labels:
    return replace(LABELS, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (Step(LABELS, LABELS), None),
        (Step(None, LABELS), EventType.OPENED),
        (Step(None, after(factuality=Factuality.CONFIRMED)), EventType.OPENED),
        (Step(None, after(stage=Stage.ENDED)), EventType.ENDED),
        (Step(None, after(factuality=Factuality.DENIED)), EventType.DENIED),
        (Step(LABELS, LABELS, withdrawn=True), None),
        (Step(LABELS, LABELS, withdrawn=True, left=False), EventType.CORRECTED),
        (Step(LABELS, after(stage=Stage.ENDED), withdrawn=True), EventType.CORRECTED),
        (Step(LABELS, after(stage=Stage.ENDED, factuality=Factuality.CONFIRMED)), EventType.ENDED),
        (Step(LABELS, after(factuality=Factuality.DENIED)), EventType.DENIED),
        (Step(LABELS, after(stance_by_party=DENYING)), EventType.DENIED),
        (Step(after(stance_by_party=DENYING), LABELS), None),
        (Step(LABELS, after(factuality=Factuality.CONFIRMED, stage=Stage.AGREED)), EventType.CONFIRMED),
        (
            Step(after(contested=True, factuality=Factuality.CONFIRMED), after(factuality=Factuality.CONFIRMED)),
            EventType.CONFIRMED,
        ),
        (Step(LABELS, after(contested=True)), None),
        (Step(LABELS, after(stage=Stage.AGREED)), EventType.STAGE_CHANGED),
        (Step(after(stage=Stage.ENDED), LABELS), EventType.REVIVED),
        (Step(LABELS, LABELS, silence=timedelta(days=181)), EventType.REVIVED),
        (Step(LABELS, LABELS, silence=timedelta(days=180)), None),
        (Step(LABELS, LABELS, restored=True), EventType.REVIVED),
        (Step(LABELS, after(binding=True)), EventType.UPDATED),
        (Step(LABELS, after(binding=True, origins=("a", "b")), corroborated_at=1), EventType.UPDATED),
        (Step(LABELS, after(origins=("a", "b"))), EventType.CORROBORATED),
        (Step(LABELS, after(origins=("a", "b")), corroborated_at=2), None),
        (Step(LABELS, after(origins=("a", "b", "c")), corroborated_at=2), None),
        (Step(LABELS, after(languages=("de",), confidence=0.1, scope=("x",))), None),
        (Step(LABELS, after(parties=tuple(reversed(LABELS.parties)))), None),
        (Step(after(stage=Stage.ENDED), after(stage=Stage.ENDED, binding=True)), EventType.UPDATED),
        (Step(after(**DENIED), after(**DENIED, binding=True)), EventType.UPDATED),
        (Step(after(**CONFIRMED), after(**CONFIRMED, binding=True)), EventType.UPDATED),
        (Step(after(**CONFIRMED, contested=True), after(**CONFIRMED, contested=True, binding=True)), EventType.UPDATED),
        (Step(after(**DENIED, contested=True), after(**DENIED)), None),
        (Step(after(contested=True), LABELS), None),
    ],
)
def test_the_first_type_that_fits(step: Step, expected: EventType | None) -> None:
    assert event_type(step) is expected
    assert bool(changes(step)) is (expected is not None)


def test_a_jump_over_a_threshold_is_told_once() -> None:
    assert corroboration(Step(LABELS, after(origins=("a", "b", "c", "d")))) == 4


def test_what_opens_with_two_origins_has_been_corroborated() -> None:
    assert corroboration(Step(None, after(origins=("a", "b")))) == 2


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (LABELS, after(binding=True), EventChange("binding", None, "true")),
        (after(binding=True), after(binding=False), EventChange("binding", "true", "false")),
        (LABELS, after(milestones=(Milestone.MOU,)), EventChange("milestones", None, "mou")),
        (after(milestones=(Milestone.MOU, Milestone.CLOSED)), LABELS, EventChange("milestones", "mou, closed", None)),
    ],
)
def test_a_change_shows_what_was_and_what_is(old: Labels, new: Labels, told: EventChange) -> None:
    assert changes(Step(old, new)) == (told,)


def test_who_contests_is_told_beside_another_change() -> None:
    told = changes(Step(LABELS, after(contested=True, stance_by_party=DENYING)))
    assert told == (
        EventChange("stance:ford", PartyStance.SILENT, PartyStance.DENIES),
        EventChange("contested", "false", "true"),
    )
