"""The gazetteer's data, what its loader refuses, and how a user's own file is merged."""

from pathlib import Path

import pytest

from tieup.companies import gazetteer as module
from tieup.companies.checks import is_lei
from tieup.companies.gazetteer import Company, Gazetteer, load_gazetteer
from tieup.companies.matcher import Matcher
from tieup.errors import BadFile, DataError

DATA = Path(module.__file__).parent / "data"
NEW = '[acme]\nname = "Acme Motors"\ncountry = "DE"\nsectors = ["maker"]\n'


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return load_gazetteer()


def test_knows_the_world_of_cars_and_its_neighbours(gazetteer: Gazetteer) -> None:
    assert len(gazetteer) >= 800
    countries = {company.country for company in gazetteer}
    assert {"DE", "US", "CN", "JP", "KR", "IN", "FR", "IT", "GB", "SE", "VN", "TR", "RU", "SA", "TW"} <= countries
    assert {sector for company in gazetteer for sector in company.sectors} >= {"battery", "chips", "robotaxi", "truck"}


@pytest.mark.parametrize(
    ("name", "company_id"),
    [
        ("Ford", "ford"),
        ("ford motor company", "ford"),
        ("福特", "ford"),
        ("フォード", "ford"),
        ("포드", "ford"),
        ("VW", "volkswagen"),
        ("ＢＹＤ", "byd"),
        ("Mercedes Benz", "mercedes-benz"),
        ("BAIC Blue Valley", "bluepark"),
        ("Chongqing Sokon", "seres"),
        ("Saudi Aramco", "aramco"),
        ("GM", "general-motors"),
        ("Zhejiang Geely", "geely"),
        (" LG  Energy   Solution ", "lg-energy-solution"),
    ],
)
def test_finds_a_company_by_any_of_its_names(gazetteer: Gazetteer, name: str, company_id: str) -> None:
    company = gazetteer.find_by_name(name)
    assert company is not None
    assert company.id == company_id


@pytest.mark.parametrize("name", ["", "Fo", "Ford Ford", "Lei Jun", "\ud800"])
def test_finds_no_company_by_what_is_no_name_of_one(gazetteer: Gazetteer, name: str) -> None:
    assert gazetteer.find_by_name(name) is None


def test_marks_the_neighbours_of_the_automotive_world(gazetteer: Gazetteer) -> None:
    assert all(gazetteer.get(one).automotive for one in ("ford", "catl", "waymo", "bosch", "ionity", "mobileye"))
    assert not any(gazetteer.get(one).automotive for one in ("apple", "xiaomi", "huawei", "foxconn", "sony", "aramco"))


def test_follows_parents_to_the_top(gazetteer: Gazetteer) -> None:
    assert gazetteer.ultimate_parent("cupra") == "volkswagen"
    assert gazetteer.ultimate_parent("ford") == "ford"
    assert {"volkswagen", "audi", "lamborghini", "traton", "scania"} <= set(gazetteer.group("audi"))
    assert "bmw" not in gazetteer.group("audi")


def test_parents_of_later_years_do_not_reach_back(gazetteer: Gazetteer) -> None:
    assert gazetteer.ultimate_parent("navistar") == "volkswagen"
    assert gazetteer.ultimate_parent("navistar", 2020) == "navistar"
    assert gazetteer.ultimate_parent("peugeot", 2014) == "peugeot"
    assert gazetteer.ultimate_parent("peugeot", 2021) == "stellantis"
    assert gazetteer.ultimate_parent("audi", 1990) == "volkswagen"


def test_an_unknown_id_is_a_key_error(gazetteer: Gazetteer) -> None:
    with pytest.raises(KeyError):
        gazetteer.get("acme")
    with pytest.raises(KeyError):
        gazetteer.ultimate_parent("acme")


def test_the_version_changes_with_the_data_alone(gazetteer: Gazetteer, tmp_path: Path) -> None:
    assert load_gazetteer().version == gazetteer.version
    assert load_gazetteer(_file(tmp_path, NEW)).version != gazetteer.version


def test_an_own_file_adds_companies_that_texts_then_name(tmp_path: Path) -> None:
    merged = load_gazetteer(_file(tmp_path, NEW + 'aliases = ["Acme", "艾克米"]\nparent = "ford"\n'))
    assert [one.company_id for one in Matcher(merged).find("Acmes Werk; 艾克米汽车")] == ["acme", "acme"]
    assert merged.ultimate_parent("acme") == "ford"


def test_an_own_file_changes_only_what_it_gives(gazetteer: Gazetteer, tmp_path: Path) -> None:
    extra = '[ford]\naliases = ["Blue Oval"]\nlei = "TIEUP0MADEUP0ENTRY53"\nautomotive = false\n'
    ford, before = load_gazetteer(_file(tmp_path, extra)).get("ford"), gazetteer.get("ford")
    assert ford.aliases == (*before.aliases, "Blue Oval")
    assert (ford.lei, ford.automotive) == ("TIEUP0MADEUP0ENTRY53", False)
    assert (ford.name, ford.ticker, ford.people) == (before.name, before.ticker, before.people)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[acme\n", "not TOML"),
        ('[acme]\nname = "Acme"\n', "acme: a company needs a name and a country"),
        (NEW + "colour = 1\n", "acme: Object contains unknown field `colour`"),
        (NEW.replace('"maker"', '"baker"'), "acme: Invalid enum value 'baker'"),
        (NEW.replace('["maker"]', "[]"), "acme: no sector"),
        (NEW.replace("[acme]", "[Acme]"), "Acme: the id 'Acme'"),
        (NEW.replace("DE", "XX"), "acme: 'XX' is no ISO 3166-1"),
        (NEW.replace("DE", "de"), "acme: 'de' is no ISO 3166-1"),
        (NEW + 'aliases = [""]\n', "acme: the name '' is empty"),
        (NEW + 'aliases = [" Acme"]\n', "acme: the name ' Acme' is empty or has spaces"),
        (NEW + 'aliases = ["A", "A"]\n', "acme: the name 'A' is given twice"),
        (NEW + 'aliases = ["FORD"]\n', "acme: the name 'FORD' is also one of ford"),
        (NEW + 'people = ["Jim Farley"]\n', "acme: the name 'Jim Farley' is also one of the person Jim Farley"),
        (NEW + 'aliases = ["Toyota City"]\n', "acme: the name 'Toyota City' is also a trap"),
        (NEW + 'parent = "nobody"\n', "acme: the parent 'nobody' is unknown"),
        (NEW + 'owners = ["ford", "nobody"]\n', "acme: the owner 'nobody' is unknown"),
        (NEW + 'parent = "acme"\n', "acme: its parents run in a circle"),
        (NEW + 'parent = "b"\n' + NEW.replace("acme", "b").replace("Acme", "B") + 'parent = "acme"\n', "in a circle"),
        (NEW + 'lei = "TIEUP0MADEUP0ENTRY54"\n', "acme: the LEI 'TIEUP0MADEUP0ENTRY54' fails its check digits"),
        (NEW + 'wikidata = "44294"\n', "acme: '44294' is no Wikidata item"),
        (NEW + 'ticker = "ACM"\n', "acme: 'ACM' is not exchange:symbol"),
        (NEW + "years = [2000, 1990]\n", "acme: the years (2000, 1990) run backwards"),
        (NEW + 'exact = ["Acne"]\n', "acme: 'Acne' in exact is neither the name nor an alias"),
        (NEW + 'aliases = ["Acme", "ACME"]\nexact = ["Acme"]\n', "acme: 'ACME' belongs in exact like 'Acme'"),
    ],
)
def test_refuses_an_own_file_that_is_wrong(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(BadFile, match=r"own\.toml") as caught:
        load_gazetteer(_file(tmp_path, text))
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_refuses_an_own_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="cannot be read"):
        load_gazetteer(tmp_path / "none.toml")
    (tmp_path / "own.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(BadFile, match="not TOML"):
        load_gazetteer(tmp_path / "own.toml")


def test_a_fault_in_our_own_data_is_a_data_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _copy_data(tmp_path)
    monkeypatch.setattr(module, "_DATA", tmp_path)
    (tmp_path / "companies" / "zz.toml").write_text(NEW.replace("[acme]", "[ford]"), "utf-8")
    with pytest.raises(DataError, match=r"zz\.toml: ford: also in makers_americas\.toml"):
        load_gazetteer()


def test_an_empty_name_rule_is_a_data_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _copy_data(tmp_path)
    monkeypatch.setattr(module, "_DATA", tmp_path)
    rules = tmp_path / "names.toml"
    rules.write_text(rules.read_text("utf-8").replace("traps = [", 'traps = [ "",', 1), "utf-8")
    with pytest.raises(DataError, match=r"names\.toml: traps: an entry is empty"):
        load_gazetteer()


def test_lei_check_digits_follow_iso_17442() -> None:
    assert is_lei("TIEUP0MADEUP0ENTRY53")
    assert not is_lei("TIEUP0MADEUP0ENTRZ53")
    assert not is_lei("TIEUP0MADEUP0ENTRY5")
    assert not is_lei("tieup0madeup0entry53")


def test_records_are_frozen(gazetteer: Gazetteer) -> None:
    company: Company = gazetteer.get("ford")
    with pytest.raises(AttributeError):
        company.name = "Fnord"  # type: ignore[misc]


def _file(folder: Path, text: str) -> Path:
    path = folder / "own.toml"
    path.write_text(text, "utf-8")
    return path


def _copy_data(folder: Path) -> None:
    for path in DATA.rglob("*.toml"):
        target = folder / path.relative_to(DATA)
        target.parent.mkdir(exist_ok=True)
        target.write_text(path.read_text("utf-8"), "utf-8")
