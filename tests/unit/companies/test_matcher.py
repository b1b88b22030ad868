"""The matcher on running text: what is found, what is not, and where."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tieup.companies.gazetteer import Gazetteer, load_gazetteer
from tieup.companies.matcher import Matcher, Mention


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return load_gazetteer()


@pytest.fixture(scope="module")
def matcher(gazetteer: Gazetteer) -> Matcher:
    return Matcher(gazetteer)


FOUND = [
    # endings, compounds, hyphens
    ("Fords Pläne für Köln", "Ford:ford"),
    ("Ford's plan and Ford’s plan", "Ford:ford Ford:ford"),
    ("Die Fordwerke in Köln", "Ford:ford"),
    ("Der VW-Chef sieht den VW-Konzern vorn, VWs Aktie steigt", "VW:volkswagen VW:volkswagen VW:volkswagen"),
    ("Xiaomi-Aktie verliert", "Xiaomi:xiaomi"),
    ("Ford-Xiaomi-Gespräche", "Ford:ford Xiaomi:xiaomi"),
    ("Ford/Xiaomi", "Ford:ford Xiaomi:xiaomi"),
    ("the Toyota-backed startup Pony.ai", "Toyota:toyota Pony.ai:pony-ai"),
    ("Teslas Audis Daimlers", "Tesla:tesla Audi:audi Daimler:daimler"),
    ("Mercedes' Pläne", "Mercedes:mercedes-benz"),
    ("Volkswagenkonzern", "Volkswagen:volkswagen"),
    ("Renault-Tochter Ampere", "Renault:renault Ampere:ampere"),
    ("„Ford“, (Xiaomi) und BYD.", "Ford:ford Xiaomi:xiaomi BYD:byd"),
    ("#Ford und ex-VW", "Ford:ford VW:volkswagen"),
    # the longest wins, but only after the filters
    ("Ford Motor Company", "Ford Motor Company:ford"),
    ("Ford Motorsport", "Ford:ford"),
    ("Great Wall Motor und BMW", "Great Wall Motor:great-wall BMW:bmw"),
    ("FAW-VW und FAW", "FAW-VW:faw-volkswagen FAW:faw"),
    ("FAW-Volkswagen", "FAW-Volkswagen:faw-volkswagen"),
    ("Changan Mazda exports", "Changan Mazda:changan-mazda"),
    ("BAIC BluePark builds, BAIC sells", "BAIC BluePark:bluepark BAIC:baic"),
    (
        "Volvo Cars, Volvo Group and Volvo Trucks",
        "Volvo Cars:volvo-cars Volvo Group:volvo-group Volvo Trucks:volvo-group",
    ),
    ("Daimler Truck, nicht Daimler", "Daimler Truck:daimler-truck Daimler:daimler"),
    ("Porsche SE und Porsche", "Porsche SE:porsche-se Porsche:porsche"),
    ("SK On und LG Energy Solution", "SK On:sk-on LG Energy Solution:lg-energy-solution"),
    ("Mercedes Benz", "Mercedes Benz:mercedes-benz"),
    # writing: width, case, accents, spaces
    ("ＢＹＤ and ＦＯＲＤ", "ＢＹＤ:byd ＦＯＲＤ:ford"),
    ("VOLKSWAGEN UND FORD", "VOLKSWAGEN:volkswagen FORD:ford"),
    ("Citroe\u0308n, Citroën, Citroen", "Citroe\u0308n:citroen Citroën:citroen Citroen:citroen"),
    ("Skoda und Škoda und S\u030ckoda", "Skoda:skoda Škoda:skoda S\u030ckoda:skoda"),
    ("Ford\u00a0Motor", "Ford\u00a0Motor:ford"),
    ("Mercedes\u2011Benz", "Mercedes\u2011Benz:mercedes-benz"),
    # Chinese, Japanese, Korean
    ("小米汽车与福特洽谈", "小米汽车:xiaomi 福特:ford"),
    ("一汽大众的股东是一汽", "一汽大众:faw-volkswagen 一汽:faw"),
    ("与Ford合作", "Ford:ford"),
    ("比亚迪与丰田成立公司", "比亚迪:byd 丰田:toyota"),
    ("大众汽车和小鹏汽车", "大众汽车:volkswagen 小鹏汽车:xpeng"),
    ("大众与小鹏汽车合作造车", "大众:volkswagen 小鹏汽车:xpeng"),
    ("北汽蓝谷和北汽", "北汽蓝谷:bluepark 北汽:baic"),
    ("トヨタ・スズキ、協業", "トヨタ:toyota スズキ:suzuki"),
    ("トヨタ自動車とホンダは", "トヨタ自動車:toyota ホンダ:honda"),
    ("フォードグループ", "フォード:ford"),
    ("日産とホンダ", "日産:nissan ホンダ:honda"),
    ("현대차그룹은 애플과 협의", "현대차그룹:hyundai 애플:apple"),
    ("현대자동차가", "현대자동차:hyundai"),
    ("포드는 SK온과", "포드:ford SK온:sk-on"),
    ("GM과 현대차", "GM:general-motors 현대차:hyundai"),
    ("大眾與江鈴汽車", "大眾:volkswagen 江鈴汽車:jmc"),
    ("江鈴汽車與賽力斯、億緯鋰能", "江鈴汽車:jmc 賽力斯:seres 億緯鋰能:eve-energy"),
    # ambiguous names with proof
    ("Seat baut Elektroautos", "Seat:seat"),
    ("SEAT und VW", "SEAT:seat VW:volkswagen"),
    ("Renault und Geely gründen Horse", "Renault:renault Geely:geely Horse:horse-powertrain"),
    ("Uber puts money into Aurora, a self-driving firm", "Uber:uber Aurora:aurora"),
    ("Lucid supplies the electric cars", "Lucid:lucid"),
    ("Apple und Kia", "Apple:apple Kia:kia"),
    ("Continental liefert an BMW", "Continental:continental BMW:bmw"),
    ("Mini und BMW", "Mini:mini BMW:bmw"),
    ("MAN und Scania", "MAN:man-truck-bus Scania:scania"),
    ("Der Fahrdienst Bolt", "Bolt:bolt"),
    ("la joint venture con Gac e Gm", "Gac:gac Gm:general-motors"),
    ("Rolls-Royce, die Luxusautomarke von BMW", "Rolls-Royce:rolls-royce-motor-cars BMW:bmw"),
    ("Nio und NIO", "Nio:nio NIO:nio"),
    ("Cruise, the robotaxi unit of GM", "Cruise:cruise GM:general-motors"),
    ("PSA und Fiat", "PSA:psa Fiat:fiat"),
    # longest over brands and daughters; products and places with a company's name
    ("Mercedes-Benz Trucks and Mercedes-Benz", "Mercedes-Benz Trucks:daimler-truck Mercedes-Benz:mercedes-benz"),
    ("Hyundai Mobis and Hyundai", "Hyundai Mobis:hyundai-mobis Hyundai:hyundai"),
    ("GAC Honda und 东风本田", "GAC Honda:gac-honda 东风本田:dongfeng-honda"),
    ("Audi FAW NEV, SAIC-GM-Wuling", "Audi FAW NEV:audi-faw SAIC-GM-Wuling:saic-gm-wuling"),
    ("BMW Brilliance und 华晨宝马", "BMW Brilliance:bmw-brilliance 华晨宝马:bmw-brilliance"),
    ("der Ford Mustang, ein VW Golf", "Ford:ford VW:volkswagen"),
    ("Rolls-Royce Power Systems und Bergen", "Rolls-Royce Power Systems:rolls-royce-holdings"),
    ("寶馬與賓士、鴻海與裕隆", "寶馬:bmw 賓士:mercedes-benz 鴻海:foxconn 裕隆:yulon"),
    ("米テスラ、独フォルクスワーゲン", "テスラ:tesla フォルクスワーゲン:volkswagen"),
    ("폭스바겐그룹과 한국GM", "폭스바겐:volkswagen 한국GM:gm-korea"),
    ("平台达成合作,比亚迪领先", "比亚迪:byd"),
    # a bank that invests is a company, one whose analyst speaks is none
    ("Goldman Sachs invests in Northvolt", "Goldman Sachs:goldman-sachs Northvolt:northvolt"),
    ("Northvolt, say Goldman Sachs analysts", "Northvolt:northvolt"),
    ("Northvolt, so Goldman-Sachs-Analyst Smith", "Northvolt:northvolt"),
    ("an analyst at JPMorgan on Ford", "Ford:ford"),
    ("Analyst Ryan Brinkman von JPMorgan zu Ford", "Ford:ford"),
    # new names that are also words
    ("Gravity, a charging firm from New York, and Tesla", "Gravity:gravity-charging Tesla:tesla"),
    ("Der Fahrdienst-Rivale von Uber, Spin, vermietet E-Scooter", "Uber:uber Spin:spin-scooter"),
    ("Die Marke Falken liefert Reifen an Porsche", "Falken:falken Porsche:porsche"),
    # people
    ("Lei Jun besucht das Werk", "Lei Jun:xiaomi*"),
    ("雷军表示", "雷军:xiaomi*"),
    ("Ford-Chef Farley dementiert", "Ford:ford Farley:ford*"),
    ("Jim Farley spoke; Farley denied it", "Jim Farley:ford* Farley:ford*"),
    ("정의선 회장", "정의선:hyundai*"),
]

NOT_FOUND = [
    "Forderung", "Bradford", "Rolls-Royce engines for Airliners", "Uber-rich",
    "Stanford", "Oxford", "Afford it", "Ford_x", "xFord", "Ford2", "take a seat",
    "Take a Seat", "smart money", "Smart Home", "Smart-TV", "Mini-Job", "ein Mini-Jobber", "a man", "MAN ARRESTED",
    "Apples are healthy", "an apple a day", "neun heißt auf Schwedisch nio", "GM crops are banned", "gm",
    "a lucid dream", "Lucid dreams", "the aurora over Norway", "Aurora, Colorado", "a Trojan Horse",
    "The Horse won the race", "continental breakfast", "Continental Europe suffers", "Toyota City", "Harrison Ford",
    "Gerald R. Ford", "Nikola Tesla", "Hieronymus Bosch", "Jacksonville Jaguars", "Keisuke Honda", "Abraham Lincoln",
    "Der Mercedes-Fahrer floh", "Porsche-Fahrerin", "Porschefahrer", "Ferrari-Pilot Leclerc", "im Audi-Stadion",
    "im BMW-Museum", "info@ford.de", "www.ford.de", "ford.com", "スタンフォード大学", "オックスフォード",
    "ハートフォード", "ホンダジェット", "美利坚合众国", "统一汽车标准", "湖北汽车", "推广汽车", "以上汽车",
    "社会大众", "大众消费", "小米粥好喝", "日产量下降", "豊田市", "기아 문제", "현대 사회", "그것만도",
    "기아 타이거즈", "Farley Granger", "Musk is a scent", "Barra da Tijuca", "Blume des Jahres", "Über Nacht", "über",
    "we ford the river", "Reuters, Bloomberg, Handelsblatt und FT", "JATO Dynamics und Morgan Stanley", "Bernstein",
    "Linklaters und Freshfields", "Deloitte, PwC und McKinsey", "die Falken und der Kreisel", "Gravity keeps us down",
    "平台达成合作", "上海信息", "交易车辆", "云南汽车", "百万达到", "可成为", "友達と話す", "大衆車を作る",
    "dell'auto",
    "l'unico dell'anno",
    "Der Weg ist das Ziel", "WEG-Recht", "Midas touch", "the Visa rules", "Hexagon shape", "a spin in the sun",
    "Fiatgeld", "PSA-Wert beim Arzt", "Dow Jones", "Tom Cruise", "Usain Bolt", "", " ", "\x00", "\ud800",
    "\udfff\ud800", "İ", "ß" * 50,
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), FOUND)
def test_finds_the_names_and_only_those(matcher: Matcher, text: str, expected: str) -> None:
    assert [_shown(mention) for mention in matcher.find(text)] == _split(expected)


@pytest.mark.parametrize("text", NOT_FOUND)
def test_finds_nothing_where_no_company_is_meant(matcher: Matcher, text: str) -> None:
    assert matcher.find(text) == []


def test_every_name_is_found_in_an_automotive_sentence(gazetteer: Gazetteer, matcher: Matcher) -> None:
    """Each spelling, standing alone beside proof of its own, leads to its company."""
    missed = [
        (company.id, name)
        for company in gazetteer
        for name in company.spellings
        if company.id not in {mention.company_id for mention in matcher.find(_sentence(company.context, name))}
    ]
    assert missed == []


def test_proof_must_be_near(matcher: Matcher) -> None:
    far = "Lucid" + " x" * 400 + " electric car"
    assert matcher.find(far) == []
    assert [mention.company_id for mention in matcher.find("Lucid" + " x" * 40 + " electric car")] == ["lucid"]


def test_a_certain_name_anywhere_proves_the_short_one(matcher: Matcher) -> None:
    text = "Horse Powertrain" + " x" * 400 + " Horse"
    assert [mention.company_id for mention in matcher.find(text)] == ["horse-powertrain"] * 2


def test_offsets_count_code_points(matcher: Matcher) -> None:
    text = "İß😀ﬁ\ud800 Ford, e\u0301 𝐅 BYD"
    assert [(mention.start, mention.surface) for mention in matcher.find(text)] == [
        (text.index("Ford"), "Ford"),
        (text.index("BYD"), "BYD"),
    ]


SNIPPETS = st.sampled_from(
    [
        "Ford",
        "Ford Motor",
        "VW",
        "VW-Chef",
        "小米",
        "小米汽车",
        "一汽大众",
        "フォード",
        "현대차",
        "기아",
        "Horse",
        "Seat",
        "MAN",
        "Lei Jun",
        "Farley",
    ]
)
TEXTS = st.lists(st.one_of(SNIPPETS, st.text(st.characters(), max_size=8)), max_size=20).map("".join)


@settings(deadline=None)
@given(TEXTS)
def test_any_text_gives_mentions_in_order_that_point_at_their_surface(matcher: Matcher, text: str) -> None:
    mentions = matcher.find(text)
    assert all(text[mention.start : mention.end] == mention.surface for mention in mentions)
    assert all(mention.start < mention.end for mention in mentions)
    ends = [mention.end for mention in mentions]
    assert all(end <= after.start for end, after in zip(ends, mentions[1:], strict=False))
    assert matcher.find(text) == mentions


@settings(deadline=None, max_examples=50)
@given(st.text(st.characters(), max_size=30), st.text(st.characters(), max_size=30))
def test_a_name_between_spaces_is_always_found(matcher: Matcher, before: str, after: str) -> None:
    text = f"{before} BYD, {after}"
    start = len(before) + 1
    assert any(mention.start <= start and mention.end >= start + 3 for mention in matcher.find(text))


def test_a_long_text_of_nothing_but_names_is_read_to_its_end(matcher: Matcher) -> None:
    assert len(matcher.find("Ford Motor, 小米汽车 " * 20_000)) == 40_000


def _shown(mention: Mention) -> str:
    return f"{mention.surface}:{mention.company_id}{'*' if mention.person else ''}".replace(" ", "_")


def _split(expected: str) -> list[str]:
    """Spaces inside a surface are part of it: entries end where an id ends."""
    words = expected.split(" ")
    entries, current = [], []
    for word in words:
        current.append(word)
        if ":" in word:
            entries.append("_".join(current))
            current = []
    return entries


def _sentence(context: tuple[str, ...], name: str) -> str:
    return f"{' '.join(context)} electric car, robotaxi: {name}, 汽车。"
