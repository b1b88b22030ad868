from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.stories.making import START

from tieup.model.labels import Basis, Factuality, Stage
from tieup.stories.precedence import DISTANCE, RULES, Head, Word, move, opening, rule_for

WEIGHTY = (Basis.PARTY, Basis.AUTHORITY, Basis.DOCUMENT)


def word(label: str, day: float = 0, **given: object) -> Word:
    """`talks reported anonymous` in a row."""
    stage, factuality, basis = label.split()
    at = START + timedelta(days=day)
    return Word(Stage(stage), Factuality(factuality), Basis(basis), at, **given)  # type: ignore[arg-type]


def after(*words: Word) -> Head:
    head = opening(words[0])
    for one in words[1:]:
        head = move(head, one)
    return head


def label(head: Head) -> str:
    return f"{head.stage} {head.factuality} {head.basis}"


REPORT = word("talks reported anonymous")
DENIAL = word("talks denied party", 1, deniers=("ford",))

SAGAS = [
    ("a report, then the party's denial", [REPORT, DENIAL], "talks denied party"),
    ("the fortieth rewrite after a denial", [REPORT, DENIAL, word("talks reported medium", 2)], "talks denied party"),
    ("a party admits what it denied", [REPORT, DENIAL, word("talks confirmed party", 5)], "talks confirmed party"),
    ("narration does not outweigh a denial", [DENIAL, word("talks confirmed narration", 9)], "talks denied party"),
    (
        "one confirms, another denies",
        [word("talks confirmed party", asserters=("xiaomi",)), DENIAL],
        "talks confirmed party",
    ),
    (
        "the same party takes its word back",
        [word("talks confirmed party", asserters=("ford",)), DENIAL],
        "talks denied party",
    ),
    (
        "an assertion that was taken back does not stand when another is",
        [
            word("talks confirmed party", asserters=("xiaomi",)),
            word("talks denied party", 1, deniers=("xiaomi",)),
            word("talks confirmed party", 5, asserters=("ford",)),
            word("talks denied party", 9, deniers=("ford",)),
        ],
        "talks denied party",
    ),
    ("an authority outranks a denial", [word("talks confirmed authority"), DENIAL], "talks confirmed authority"),
    (
        "the denial of a further stage",
        [word("talks confirmed narration"), word("agreed denied party", 1, deniers=("ford",))],
        "talks confirmed narration",
    ),
    ("a report goes further", [REPORT, word("agreed reported anonymous", 9)], "agreed reported anonymous"),
    (
        "a nearer report rolls nothing back",
        [word("active confirmed party"), word("talks reported medium", 9)],
        "active confirmed party",
    ),
    (
        "a party admits the nearer stage of a report",
        [word("agreed reported anonymous"), word("talks confirmed party", 1)],
        "talks confirmed party",
    ),
    ("the end", [word("active confirmed party"), word("ended confirmed party", 9)], "ended confirmed party"),
    (
        "laggards after the end",
        [word("ended confirmed party"), word("talks reported medium", 1)],
        "ended confirmed party",
    ),
    ("news after the end", [word("ended confirmed party"), word("talks reported medium", 9)], "talks reported medium"),
    (
        "a party denies the end at once",
        [word("ended reported anonymous"), word("active confirmed party", 1, denies_end=True)],
        "active confirmed party",
    ),
    ("nothing denies what has ended", [word("ended confirmed party"), DENIAL], "ended confirmed party"),
    (
        "a further report while papers still print what the denial has overtaken",
        [REPORT, DENIAL, word("agreed reported medium", 4)],
        "talks denied party",
    ),
    (
        "a report long after the denial goes further",
        [DENIAL, word("agreed reported medium", 30)],
        "agreed reported medium",
    ),
    ("the same on a better basis", [REPORT, word("talks reported medium", 1)], "talks reported medium"),
    (
        "narration states the report as fact",
        [REPORT, word("talks confirmed narration", 1)],
        "talks confirmed narration",
    ),
    (
        "narration of a nearer stage than was reported",
        [word("agreed reported medium"), word("talks confirmed narration", 1)],
        "agreed reported medium",
    ),
    (
        "insiders add nothing to what a medium reported",
        [word("talks reported medium"), word("talks reported anonymous", 1)],
        "talks reported medium",
    ),
    (
        "a party denies more than an authority did",
        [word("agreed denied authority", deniers=("ford",)), word("talks denied party", 1, deniers=("xiaomi",))],
        "talks denied party",
    ),
    (
        "an end that nobody had told is denied",
        [word("active confirmed document"), word("active confirmed party", 1, denies_end=True)],
        "active confirmed document",
    ),
    (
        "narration takes nothing from a party's word",
        [word("talks confirmed party"), word("talks confirmed narration", 1)],
        "talks confirmed party",
    ),
    (
        "a document shows what an authority said",
        [word("agreed confirmed authority"), word("agreed confirmed document", 1)],
        "agreed confirmed document",
    ),
    (
        "a better basis for a nearer stage",
        [word("agreed confirmed narration"), word("talks confirmed party", 1)],
        "agreed confirmed narration",
    ),
    (
        "a contract after what an authority said",
        [word("talks confirmed authority"), word("agreed confirmed party", 1)],
        "agreed confirmed party",
    ),
    (
        "a contract after what one of the parties said",
        [word("talks confirmed party", asserters=("xiaomi",)), word("agreed confirmed party", 1)],
        "agreed confirmed party",
    ),
    (
        "one denies what only media say that the other asserts",
        [word("talks reported medium", asserters=("xiaomi",)), DENIAL],
        "talks denied party",
    ),
    (
        "the denial of a further stage than was reported",
        [REPORT, word("agreed denied party", 1, deniers=("ford",))],
        "talks denied party",
    ),
    (
        "a report is light, whoever is credited with it",
        [DENIAL, word("talks reported party", 9)],
        "talks denied party",
    ),
    (
        "a party's own word that the end has overtaken",
        [word("ended confirmed party"), word("active confirmed party", 1)],
        "ended confirmed party",
    ),
    (
        "an end is not denied by narration",
        [word("ended reported anonymous"), word("active confirmed narration", 1, denies_end=True)],
        "ended reported anonymous",
    ),
    (
        "the last hour in which papers print what the end has overtaken",
        [word("ended confirmed party"), word("talks reported medium", 3)],
        "ended confirmed party",
    ),
    (
        "the first in which they do not",
        [word("ended confirmed party"), word("talks reported medium", 3.05)],
        "talks reported medium",
    ),
    (
        "a denial said again makes it no newer",
        [REPORT, DENIAL, word("talks denied party", 3, deniers=("ford",)), word("agreed reported medium", 5)],
        "agreed reported medium",
    ),
    (
        "a denial of a nearer stage as well is a newer one",
        [
            word("agreed denied party", 1, deniers=("ford",)),
            word("talks denied party", 3, deniers=("ford",)),
            word("agreed reported medium", 5),
        ],
        "talks denied party",
    ),
]


@pytest.mark.parametrize(("words", "expected"), [saga[1:] for saga in SAGAS], ids=[saga[0] for saga in SAGAS])
def test_the_table(words: list[Word], expected: str) -> None:
    assert label(after(*words)) == expected


def test_every_rule_is_reached() -> None:
    reached = set()
    for _, words, _ in SAGAS:
        head = opening(words[0])
        for one in words[1:]:
            reached.add(rule_for(head, one).name)
            head = move(head, one)
    assert {rule.name for rule in RULES} == reached


words = st.builds(
    Word,
    stage=st.sampled_from(Stage),
    factuality=st.sampled_from(Factuality),
    basis=st.sampled_from(Basis),
    at=st.integers(0, 500).map(lambda day: START + timedelta(days=day)),
    asserters=st.sampled_from([(), ("ford",), ("xiaomi",)]),
    deniers=st.sampled_from([(), ("ford",), ("xiaomi",)]),
    denies_end=st.booleans(),
)
sagas = st.lists(words, min_size=1, max_size=8).map(lambda found: sorted(found, key=lambda one: one.at))


@given(sagas, words)
def test_only_a_party_denies_and_only_a_weighty_word_brings_a_story_nearer(saga: list[Word], last: Word) -> None:
    head = after(*saga)
    new = move(head, last)
    if new.factuality is Factuality.DENIED and head.factuality is not Factuality.DENIED:
        assert last.factuality is Factuality.DENIED
    if head.stage is not Stage.ENDED and DISTANCE[new.stage] < DISTANCE[head.stage]:
        denied = last.factuality is Factuality.DENIED
        assert denied or (last.factuality is Factuality.CONFIRMED and last.basis in WEIGHTY)
