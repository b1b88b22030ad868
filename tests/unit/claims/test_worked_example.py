"""The worked example of the label guide, told in German and English."""

from collections.abc import Callable

import pytest

from tieup.model.labels import Basis, Factuality, Focus, Kind, Stage, Stance
from tieup.model.relation import Relation

Read = Callable[..., list[Relation]]

FORD_DENIES = {
    "en": (
        "Ford and Xiaomi deny talks about an electric car venture",
        (
            "Ford and China's Xiaomi have discussed a joint venture to build electric cars in the United States, "
            "the Financial Times reported on Saturday, citing four people familiar with the matter. Ford also "
            "held talks with BYD, the newspaper said. A Ford spokesperson called the report completely false. "
            "Xiaomi denied the report as well. Ford already has a licence from CATL for battery technology."
        ),
    ),
    "de": (
        "Ford und Xiaomi dementieren Gespräche über E-Auto-Gemeinschaftsunternehmen",
        (
            "Ford und Xiaomi haben laut einem Bericht der Financial Times über ein Gemeinschaftsunternehmen für "
            "Elektroautos in den USA gesprochen. Das Blatt beruft sich auf vier mit der Sache vertraute Personen. "
            "Auch mit BYD soll Ford verhandelt haben. Ford wies den Bericht als völlig unwahr zurück, auch Xiaomi "
            "dementierte. Ford hat bereits eine Lizenzvereinbarung mit CATL für Batterietechnik."
        ),
    ),
}
REUTERS = {
    "en": (
        "Ford held talks with Xiaomi on EV partnership",
        (
            "Ford has held talks with Xiaomi on a wider partnership in electric vehicles, Reuters reported. Ford "
            "and Xiaomi did not respond to requests for comment."
        ),
    ),
    "de": (
        "Ford führte Gespräche mit Xiaomi über E-Auto-Partnerschaft",
        (
            "Ford hat nach Angaben der Nachrichtenagentur Reuters mit Xiaomi über eine breitere Partnerschaft bei "
            "Elektroautos gesprochen. Ford und Xiaomi haben sich bisher nicht geäußert."
        ),
    ),
}
BLUEPARK = {
    "en": (
        "Xiaomi in talks with BAIC to build electric cars",
        (
            "Xiaomi, which still has no licence to build cars, is in talks with BAIC about having its electric "
            "cars built by the carmaker, Bloomberg reported. One option is its subsidiary BluePark, which would "
            "build cars for Xiaomi. BAIC works with Mercedes-Benz and Hyundai in China."
        ),
    ),
    "de": (
        "Xiaomi verhandelt mit BAIC über den Bau von Elektroautos",
        (
            "Weil Xiaomi keine Lizenz für den Bau eigener Autos hat, verhandelt der Konzern laut Bloomberg mit "
            "BAIC, das für Xiaomi Elektroautos bauen könnte. In Frage kommt die BAIC-Tochter BluePark, die für "
            "Xiaomi Autos fertigen würde. In China arbeitet BAIC bereits mit Mercedes-Benz und Hyundai zusammen."
        ),
    ),
}
JILIN = {
    "en": (
        "Jilin government: Xiaomi discusses cooperation with FAW",
        (
            "Xiaomi founder Lei Jun has met officials about a cooperation between Xiaomi and FAW, the government "
            "of Jilin said on its website. Volkswagen has run a joint venture with FAW since 1991. Deutz already "
            "holds half of a diesel engine joint venture with FAW."
        ),
    ),
    "de": (
        "Regierung von Jilin: Xiaomi spricht mit FAW über Kooperation",
        (
            "Wie die Regierung der Provinz Jilin mitteilte, wurde mit Lei Jun über eine Kooperation zwischen "
            "Xiaomi und FAW gesprochen. Volkswagen betreibt zusammen mit FAW bereits ein "
            "Gemeinschaftsunternehmen. Deutz ist zu 50 Prozent an der FAW-Tochter für Dieselmotoren beteiligt."
        ),
    ),
}
LANGUAGES = pytest.mark.parametrize("language", ["de", "en"])


def tie(relations: list[Relation], *ids: str) -> Relation:
    """The one relation of exactly these parties."""
    found = [one for one in relations if {party.id for party in one.parties} == set(ids)]
    assert len(found) == 1, [[party.id for party in one.parties] for one in relations]
    return found[0]


def stances(relation: Relation) -> set[tuple[str, Stance]]:
    return {(claim.speaker, claim.stance) for claim in relation.claims}


@LANGUAGES
def test_denied_venture_has_its_origin_and_both_denials(read: Read, language: str) -> None:
    venture = tie(read(*FORD_DENIES[language], language), "ford", "xiaomi")
    assert (venture.kind, venture.stage, venture.factuality, venture.focus) == (
        Kind.JOINT_VENTURE,
        Stage.TALKS,
        Factuality.DENIED,
        Focus.NEWS,
    )
    assert venture.origin == "Financial Times"
    assert {("anonymous", Stance.ASSERTS), ("Ford", Stance.DENIES), ("Xiaomi", Stance.DENIES)} <= stances(venture)


@LANGUAGES
def test_second_counterparty_is_a_relation_of_its_own(read: Read, language: str) -> None:
    talks = tie(read(*FORD_DENIES[language], language), "ford", "byd")
    assert (talks.stage, talks.focus) == (Stage.TALKS, Focus.NEWS)
    assert talks.factuality in {Factuality.DENIED, Factuality.REPORTED}


@LANGUAGES
def test_licence_is_recalled(read: Read, language: str) -> None:
    licence = tie(read(*FORD_DENIES[language], language), "ford", "catl")
    assert (licence.kind, licence.stage, licence.factuality, licence.focus) == (
        Kind.LICENSING,
        Stage.ACTIVE,
        Factuality.CONFIRMED,
        Focus.BACKGROUND,
    )


@LANGUAGES
def test_report_without_comment_is_reported(read: Read, language: str) -> None:
    (talks,) = read(*REUTERS[language], language)
    assert talks.kind in {Kind.ALLIANCE, Kind.JOINT_DEVELOPMENT}
    assert (talks.stage, talks.factuality, talks.basis) == (Stage.TALKS, Factuality.REPORTED, Basis.MEDIUM)
    assert talks.origin == "Reuters"
    assert {("Ford", Stance.DECLINES_COMMENT), ("Xiaomi", Stance.DECLINES_COMMENT)} <= stances(talks)


@LANGUAGES
def test_contract_making_via_a_daughter(read: Read, language: str) -> None:
    making = tie(read(*BLUEPARK[language], language), "xiaomi", "baic")
    assert (making.kind, making.stage, making.factuality) == (
        Kind.CONTRACT_MANUFACTURING,
        Stage.TALKS,
        Factuality.REPORTED,
    )
    assert making.origin == "Bloomberg"
    assert making.via


@LANGUAGES
@pytest.mark.parametrize("partner", ["mercedes-benz", "hyundai"])
def test_partners_of_the_partner_are_recalled(read: Read, language: str, partner: str) -> None:
    recalled = tie(read(*BLUEPARK[language], language), "baic", partner)
    assert (recalled.kind, recalled.stage, recalled.focus) == (Kind.ALLIANCE, Stage.ACTIVE, Focus.BACKGROUND)


@LANGUAGES
def test_authority_confirms_talks(read: Read, language: str) -> None:
    talks = tie(read(*JILIN[language], language), "xiaomi", "faw")
    assert (talks.kind, talks.stage, talks.factuality, talks.basis, talks.focus) == (
        Kind.ALLIANCE,
        Stage.TALKS,
        Factuality.CONFIRMED,
        Basis.AUTHORITY,
        Focus.NEWS,
    )


@LANGUAGES
@pytest.mark.parametrize("partner", ["volkswagen", "deutz"])
def test_ventures_of_the_partner_are_recalled(read: Read, language: str, partner: str) -> None:
    venture = tie(read(*JILIN[language], language), partner, "faw")
    assert (venture.kind, venture.stage, venture.factuality, venture.focus) == (
        Kind.JOINT_VENTURE,
        Stage.ACTIVE,
        Factuality.CONFIRMED,
        Focus.BACKGROUND,
    )
