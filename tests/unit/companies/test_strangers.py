"""Companies that the gazetteer lacks: found where the text introduces them, and nothing else taken for one."""

from importlib.resources import files
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tieup.companies.gazetteer import Gazetteer, load_gazetteer
from tieup.companies.matcher import Matcher, Mention
from tieup.companies.stranger_rules import load_stranger_rules, read_stranger_rules
from tieup.companies.strangers import StrangerFinder, is_stranger, strangers_in
from tieup.errors import DataError

FOUND = [
    # a legal form closes the name
    ("en", "Ford signed with Zorblatt Inc. on Monday", "Zorblatt"),
    ("en", "Ford and Quibix Holdings Co., Ltd. agreed", "Quibix Holdings"),
    ("de", "BMW beteiligt sich an der Fahrgut GmbH & Co. KG", "Fahrgut"),
    ("it", "Fiat compra da Torrezza S.p.A. i motori", "Torrezza"),
    ("es", "Renault y Montaraz S.A. firman", "Montaraz"),
    ("fr", "Renault rachète Bidulex SAS", "Bidulex"),
    ("de", "Volvo kauft bei Nordvik AB", "Nordvik"),
    ("en", "Toyota invests in Zorblatt (NASDAQ: ZRB)", "Zorblatt"),
    # a word of trade before it
    ("en", "BMW backs battery startup Lytenix", "Lytenix"),
    ("en", "Chipmaker Zorbtek supplies BMW", "Zorbtek"),
    ("en", "Ford picked Shenzhen-based Zorbi for its cells", "Zorbi"),
    ("de", "Der Batteriehersteller Zellfix beliefert BMW", "Zellfix"),
    ("de", "VW verhandelt mit dem Start-up Fahrgut", "Fahrgut"),
    ("de", "Der Lkw-Zulieferer Achsfix beliefert MAN und Scania", "Achsfix"),
    ("de", "Die VW-Tochter Rollwerk kooperiert mit Bosch", "Rollwerk"),
    ("fr", "Renault s’associe au fabricant de batteries Voltix", "Voltix"),
    ("fr", "Stellantis négocie avec le chinois Zhangji", "Zhangji"),
    ("it", "Stellantis tratta con la cinese Dongli", "Dongli"),
    ("es", "Renault compra baterías a la empresa Celdanova", "Celdanova"),
    ("ja", "トヨタは半導体メーカーのゾルブと提携した", "ゾルブ"),
    ("ja", "ホンダは株式会社ゾルブテックに出資する", "ゾルブテック"),
    ("ko", "현대차는 배터리 업체 조르블에너지와 계약했다", "조르블에너지"),
    ("ko", "현대차는 스타트업 '조르블'과 협력한다", "조르블"),
    ("zh", "比亚迪与亮晶科技签署合作协议", "亮晶科技"),
    ("zh", "小鹏和Zorbix成立合资公司", "Zorbix"),
    ("zh", "蔚来投资自动驾驶公司Zorbix", "Zorbix"),
    ("de", "ZF will den Bremsenspezialisten Bremsix kaufen", "Bremsix"),
    ("fr", "Renault et l'équipementier Voltix coopèrent", "Voltix"),
    ("zh", "华为与长安共同支持的亮晶科技发布新车", "亮晶科技"),
    # a word of trade after it
    ("en", "BMW invests in Lytenix, a Californian maker of cells", "Lytenix"),
    ("de", "BMW und QuantumLeap, ein Spezialist für Sensoren", "QuantumLeap"),
    ("fr", "Renault et Voltix, une start-up lyonnaise", "Voltix"),
    # its last word is one of companies' names
    ("en", "Ford will buy lidar from Quibix Robotics", "Quibix Robotics"),
    ("de", "VW kauft Lidar von Quibix Robotics", "Quibix Robotics"),
    # beside a known company, where ties name their partners
    ("en", "Ford and Zorblatt sign a deal", "Zorblatt"),
    ("en", "Toyota, Zorblatt and Honda form a venture", "Zorblatt"),
    ("en", "The Ford-Zorblatt venture starts", "Zorblatt"),
    ("en", "Ford has a partnership with Zorblatt on cells", "Zorblatt"),
    ("en", "Volkswagen takes a stake in Zorblatt", "Zorblatt"),
    ("de", "BMW kooperiert mit QuantumLeap", "QuantumLeap"),
]

NOT_FOUND = [
    # persons
    ("en", "Ford and Jim Smithers sign a deal"),
    ("en", "Ford has talks with Donald Trumpet"),
    ("en", "Toyota and Hiro Tanabe, who resigned"),
    ("en", "Ford CEO Zorblatt and BMW"),
    ("de", "BMW und Franz Huber"),
    ("en", "BMW and Mr Zorblatt sign"),
    # places, nations, days
    ("en", "Ford and Michigan sign a deal"),
    ("en", "Toyota signs a deal with Thailand"),
    ("en", "Ford invests in Germany"),
    ("de", "VW investiert in Ungarn"),
    ("en", "Ford and European rivals"),
    ("en", "Ford and Monday"),
    ("en", "GM buys lithium at California's Zorblatt Sea"),
    ("fr", "Renault investit dans Paris"),
    # authorities, schools, media, events
    ("en", "Ford works with Stanford University"),
    ("en", "BMW and the Ministry of Economy"),
    ("de", "VW kooperiert mit Fraunhofer Institut"),
    ("en", "Ford and Reuters"),
    ("en", "Toyota has an agreement with the United Auto Workers"),
    ("en", "Ford at CES and Toyota"),
    # products
    ("en", "Ford Mustang and VW Golf are alike"),
    ("en", "Lucid's Gravity and BMW"),
    ("en", "Ford is in talks with the iPhone maker"),
    # German nouns
    ("de", "BMW und Kosten steigen"),
    ("de", "VW kooperiert mit Partnern"),
    ("de", "Der Autobauer Sondierungsgespräche mit BMW"),
    ("de", "Die VW-Plattform MEB nutzt auch Ford"),
    # words of the trade
    ("zh", "比亚迪与固态电池企业合作"),
    ("zh", "蔚来和新能源汽车"),
    ("zh", "小鹏和智能电动汽车公司"),
    ("zh", "比亚迪与CEO签约"),
    ("ja", "トヨタと電池メーカー"),
    ("ko", "현대차와 배터리 업체 관계자"),
    # headlines that write every word with a capital
    ("en", "Ford And Startup Hopes Rise In Battery Supply Talks Again"),
    # no known company, no stranger; languages without rules
    ("en", "Zorblatt Inc. and Quibix Robotics sign"),
    ("sv", "Ford och Zorblatt AB"),
    ("", "Ford and Zorblatt Inc."),
]


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return load_gazetteer()


@pytest.fixture(scope="module")
def matcher(gazetteer: Gazetteer) -> Matcher:
    return Matcher(gazetteer)


@pytest.fixture(scope="module")
def finder() -> StrangerFinder:
    return StrangerFinder(load_stranger_rules(), ["Reuters", "Handelsblatt"])


@pytest.mark.parametrize(("language", "text", "name"), FOUND)
def test_finds_what_the_text_introduces(
    matcher: Matcher, finder: StrangerFinder, language: str, text: str, name: str
) -> None:
    assert [one.surface for one in finder.find(text, matcher.find(text), language)] == [name]


@pytest.mark.parametrize(("language", "text"), NOT_FOUND)
def test_finds_nothing_else(matcher: Matcher, finder: StrangerFinder, language: str, text: str) -> None:
    assert finder.find(text, matcher.find(text), language) == []


def test_a_name_once_introduced_is_found_everywhere_and_in_short(matcher: Matcher, finder: StrangerFinder) -> None:
    text = "Zorblatt rises. BMW backs battery startup Zorblatt Energy, and Zorblatt's cells go to Emden. Zorblatts."
    found = finder.find(text, matcher.find(text), "en")
    assert [(one.start, one.surface) for one in found] == [(0, "Zorblatt"), (42, "Zorblatt Energy"), (63, "Zorblatt")]
    assert len({one.company_id for one in found}) == 1


def test_strangers_are_companies_of_which_nothing_is_known(matcher: Matcher, finder: StrangerFinder) -> None:
    text = "BMW backs battery startup Zorblatt Energy. Zorblatt is glad."
    (company,) = strangers_in([*matcher.find(text), *finder.find(text, matcher.find(text), "en")])
    assert is_stranger(company.id)
    assert (company.name, company.country, company.automotive, company.parent) == ("Zorblatt Energy", "", False, None)


def test_a_gazetteer_takes_strangers_in_for_an_article(gazetteer: Gazetteer) -> None:
    (company,) = strangers_in([*_mentions("BMW backs startup Zorblatt")])
    wider = gazetteer.including([company])
    assert wider.get(company.id) is company
    assert wider.ultimate_parent(company.id) == company.id
    assert (company.id in wider, company.id in gazetteer, wider.version) == (True, False, gazetteer.version)


def test_no_id_of_the_gazetteer_looks_like_a_strangers(gazetteer: Gazetteer) -> None:
    assert not any(is_stranger(one.id) for one in gazetteer)


PIECES = st.sampled_from(
    [
        "Ford",
        " and ",
        "Zorblatt",
        " Inc.",
        "startup ",
        ", ",
        "-",
        "Ä",
        "与",
        "科技",
        "メーカー",
        "업체 ",
        "\ue000",
        "\n",
    ]
)


@settings(deadline=None)
@given(
    st.lists(st.one_of(PIECES, st.text(max_size=6)), max_size=25).map("".join),
    st.sampled_from(["en", "de", "zh", "ko"]),
)
def test_any_text_gives_mentions_in_order_that_point_at_their_surface(text: str, language: str) -> None:
    known = MATCHER.find(text)
    found = FINDER.find(text, known, language)
    assert all(text[one.start : one.end] == one.surface for one in found)
    places = sorted((one.start, one.end) for one in [*known, *found])
    assert all(one[1] <= after[0] for one, after in pairwise(places))
    assert FINDER.find(text, known, language) == found


@pytest.mark.parametrize("unit", ["A-", "Aa ", "Aa, ", "A & ", "Aa and ", "a", "Aa.", "-", "'", "startup ", "X Inc"])
def test_a_long_text_costs_no_more_than_its_length(unit: str) -> None:
    """Not timed: a search that grew with the square of so long a text would not come to an end."""
    text = "Ford and " + unit * (30_000 // len(unit))
    assert isinstance(FINDER.find(text, MATCHER.find(text), "en"), list)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("suffixes = [", "suffixes = [ 1, "), "suffixes"),
        (("zh_before = [", 'zh_before = [ "", '), "zh_before: an entry is empty"),
        (("[frames]\nen", "[frames]\nnl"), "heads, afterwards and frames name different languages"),
        (("[heads]", "[heads"), "strangers.toml"),
    ],
)
def test_refuses_rules_that_are_wrong(change: tuple[str, str], complaint: str) -> None:
    text = _rules_text().replace(*change, 1)
    with pytest.raises(DataError, match=r"strangers\.toml") as caught:
        read_stranger_rules(text)
    assert complaint in str(caught.value)


MATCHER = Matcher(load_gazetteer())
FINDER = StrangerFinder(load_stranger_rules())


def _mentions(text: str) -> list[Mention]:
    return FINDER.find(text, MATCHER.find(text), "en")


def _rules_text() -> str:
    return files("tieup.companies").joinpath("data", "strangers.toml").read_text(encoding="utf-8")
