"""A watchlist from CSV: which companies it means, and what is said of each row that means none."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.alerts.making import gazetteer

from tieup.alerts.watchlist import read_watchlist
from tieup.companies.checks import is_isin
from tieup.companies.gazetteer import Gazetteer, load_gazetteer
from tieup.errors import BadFile, UsageError

# Of nobody in the gazetteer: the example of ISO 6166's annex.
NOBODYS = "AU0000XVGZA3"
OWN = f"""
[ford]
isins = ["{NOBODYS}"]
"""


def read(text: str, known: Gazetteer | None = None) -> tuple[tuple[str, ...], list[tuple[int, str]]]:
    found = read_watchlist(text.encode(), known or gazetteer(), "list.csv")
    return found.companies, [(one.line, one.reason) for one in found.unmatched]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Gazetteer:
    path = tmp_path_factory.mktemp("own") / "own.toml"
    path.write_text(OWN)
    return load_gazetteer(path)


def test_columns_are_found_by_their_names_in_any_order_and_with_any_delimiter() -> None:
    for sign in ",;\t":
        text = sign.join(("Note", "Ticker", "Name")) + "\n" + sign.join(("mine", "XETRA:BMW", "")) + "\n\n"
        assert read("\ufeff" + text + sign.join(("", "", "Ford Motor Company"))) == (("bmw", "ford"), [])


def test_without_a_header_a_cell_is_what_it_looks_like() -> None:
    text = "Xiaomi\nXETRA:BMW\nUS3453708600\n20S05OYHG0MQM4VUIC57\nbmw,DE0005190037\nKR7005380001\n"
    assert read(text) == (("xiaomi", "bmw", "ford", "hyundai"), [])


def test_an_own_file_names_more(own: Gazetteer) -> None:
    assert read(f"{NOBODYS}\nUS3453708600\n", own) == (("ford",), [])


@pytest.mark.parametrize(
    ("name", "company"),
    [
        ("Bayerische Motoren Werke AG", "bmw"),
        ("Volkswagen AG Vz.", "volkswagen"),
        ("Honda Motor Co., Ltd.", "honda"),
        ("Contemporary Amperex Technology Co., Ltd.", "catl"),
        ("ALPHABET INC. CLASS A", "alphabet"),
        ("Volvo AB Class B", "volvo-group"),
        ("Volvo Car AB", "volvo-cars"),
        ("SK On Co Ltd", "sk-on"),  # ON is also what lists call a share without par value
        ("Li Auto Inc ADR", "li-auto"),
    ],
)
def test_names_are_found_as_lists_of_shares_have_them(name: str, company: str) -> None:
    assert read(f'name\n"{name}"\n') == ((company,), [])


def test_what_stands_behind_a_name_is_none_alone() -> None:
    assert [line for line, _ in read("name\nAG\nInc.\nClass A\nForx Motor Corp\n")[1]] == [2, 3, 4, 5]


def test_every_row_that_means_no_company_is_told_with_its_line_and_why() -> None:
    text = (
        "name,isin,ticker,lei\nFrod,,,\n,US3453708601,,\n,AU0000XVGZA3,,\n,,ZZZ,\n,,,20S05OYHG0MQM4VUIC58\n"
        "Xiaomi,DE0005190003,,\nBMW,AU0000XVGZA3,,\n,,,\n"
    )
    companies, unmatched = read(text)
    assert companies == ("bmw",)  # its ISIN is not known, its name is
    assert unmatched == [
        (2, "no company is named 'Frod'; did you mean Ford?"),
        (3, "'US3453708601' is no ISIN: its check digit does not hold"),
        (4, "no company has the ISIN AU0000XVGZA3; a companies file of your own can name it"),
        (5, "no one company has the ticker ZZZ; a companies file of your own can name it"),
        (6, "'20S05OYHG0MQM4VUIC58' is no LEI: its check digits do not hold"),
        (7, "means two companies: the ISIN is bmw's, the name is xiaomi's"),
    ]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"name\n\xff", "list.csv: not UTF-8"),
        (b'name\n"open', "list.csv, line 2: not CSV"),
        (b"x" * 1_000_001, "larger than 1,000,000 bytes"),
        (b"Ford\n" * 2_002, "more than 2000 companies"),
    ],
)
def test_what_is_no_list_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_watchlist(data, gazetteer(), "list.csv")


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = read_watchlist(text.encode("utf-8", "replace"), gazetteer(), "list.csv")
    except UsageError:
        return
    assert all(one in gazetteer() for one in found.companies)


@pytest.mark.parametrize("code", ["US0378331005", "DE0005190003", "GB0002634946", "JP3633400001", "US3453708600"])
def test_check_digits_of_isins(code: str) -> None:
    assert is_isin(code)
    assert not any(is_isin(code[:-1] + digit) for digit in "0123456789" if digit != code[-1])


def test_a_wrong_isin_in_an_own_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('[ford]\nisins = ["US3453708601"]\n')
    with pytest.raises(BadFile, match="ford: the ISIN 'US3453708601' fails its check digit"):
        load_gazetteer(path)


def test_isins_leave_the_version_of_the_gazetteer_as_it_is(own: Gazetteer) -> None:
    assert own.isins[NOBODYS] == "ford"
    assert own.version == gazetteer().version
