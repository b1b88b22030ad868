"""A watchlist: a CSV file that names companies, by name, ISIN, ticker or LEI, in columns of any order.

A first row that names columns is heeded; without one every cell is taken for what it looks like. Of a row the surest
cell decides (LEI, ISIN, ticker, name), and all that are known must mean the same company. What cannot be matched is
told row by row, never passed over.
"""

import csv
import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tieup.companies.checks import is_isin, is_lei
from tieup.companies.gazetteer import Gazetteer
from tieup.companies.listings import ListedNames
from tieup.errors import UsageError

MAX_BYTES: Final = 1_000_000
MAX_ROWS: Final = 2_000  # as many as a condition may name

_COLUMNS: Final = {
    "name": "name", "company": "name", "company name": "name", "firma": "name", "unternehmen": "name",
    "isin": "isin", "ticker": "ticker", "symbol": "ticker", "ticker symbol": "ticker", "lei": "lei",
}  # fmt: skip
_SUREST: Final = ("lei", "isin", "ticker", "name")


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A row that names no company: its line in the file (from 1), the row, and why."""

    line: int
    row: str
    reason: str


@dataclass(frozen=True, slots=True)
class Watchlist:
    """The companies of a file by their ids, in its order, and the rows that could not be matched."""

    companies: tuple[str, ...]
    unmatched: tuple[Unmatched, ...]


def read_watchlist(data: bytes, gazetteer: Gazetteer, place: str) -> Watchlist:
    """Return the companies that a CSV file names. Raises UsageError, naming the file, if it is none or too large."""
    rows = list(_rows(data, place))
    header = _header(rows[0][1]) if rows else None
    finder = _Finder(gazetteer)
    companies: dict[str, None] = {}
    unmatched: list[Unmatched] = []
    for line, row in rows[0 if header is None else 1 :]:
        try:
            companies[finder.company(_cells(row, header))] = None
        except LookupError as error:
            unmatched.append(Unmatched(line, ", ".join(filter(None, row)), str(error.args[0])))
    return Watchlist(tuple(companies), tuple(unmatched))


def _rows(data: bytes, place: str) -> Iterator[tuple[int, list[str]]]:
    if len(data) > MAX_BYTES:
        raise UsageError(f"{place}: larger than {MAX_BYTES:,} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{place}: not UTF-8: {error.reason} at byte {error.start}") from error
    first = text.partition("\n")[0]
    reader = csv.reader(text.splitlines(), delimiter=max(",;\t", key=first.count), strict=True)
    count = 0
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            count += any(cells)
            if count > MAX_ROWS + 1:
                raise UsageError(f"{place}: more than {MAX_ROWS} companies")
            if any(cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise UsageError(f"{place}, line {reader.line_num}: not CSV: {error}") from error


def _header(row: Sequence[str]) -> list[str | None] | None:
    columns = [_COLUMNS.get(cell.casefold()) for cell in row]
    return columns if any(columns) else None


def _cells(row: Sequence[str], header: Sequence[str | None] | None) -> Mapping[str, str]:
    """Return what a row gives, by sort, the first of each."""
    named = zip(header or map(_sort, row), row, strict=False)
    found: dict[str, str] = {}
    for sort, cell in named:
        if sort is not None and cell:
            found.setdefault(sort, cell)
    return found


def _sort(cell: str) -> str:
    code = cell.upper()
    if is_lei(code):
        return "lei"
    if is_isin(code):
        return "isin"
    exchange, colon, symbol = cell.partition(":")
    return "ticker" if colon and exchange.isalpha() and symbol.strip() and " " not in symbol.strip() else "name"


class _Finder:
    """Finds companies by any of their designations; LookupError says in words why there is none."""

    def __init__(self, gazetteer: Gazetteer) -> None:
        self._gazetteer = gazetteer
        self._names = ListedNames(gazetteer)
        self._leis = {company.lei: company.id for company in gazetteer if company.lei}
        self._tickers: dict[str, set[str]] = {}
        for company in gazetteer:
            for ticker in (company.ticker, company.ticker.partition(":")[2]) if company.ticker else ():
                self._tickers.setdefault(ticker, set()).add(company.id)
        self._ways: dict[str, Callable[[str], str]] = {
            "lei": self._by_lei, "isin": self._by_isin, "ticker": self._by_ticker, "name": self._by_name,
        }  # fmt: skip

    def company(self, cells: Mapping[str, str]) -> str:
        """Return the id of the company that a row's cells mean."""
        found: dict[str, str] = {}
        missed: list[str] = []
        for sort in _SUREST:
            if sort in cells:
                try:
                    found[sort] = self._ways[sort](cells[sort])
                except LookupError as error:
                    missed.append(str(error.args[0]))
        if not found:
            raise LookupError("; ".join(missed) or "no name, ISIN, ticker or LEI in it")
        if len(set(found.values())) > 1:
            said = ", ".join(f"the {_WORDS[sort]} is {company}'s" for sort, company in found.items())
            raise LookupError(f"means two companies: {said}")
        return next(iter(found.values()))

    def _by_lei(self, text: str) -> str:
        code = text.upper()
        if not is_lei(code):
            raise LookupError(f"{text!r} is no LEI: its check digits do not hold")
        if code not in self._leis:
            raise LookupError(f"no company has the LEI {code}; {_OWN}")
        return self._leis[code]

    def _by_isin(self, text: str) -> str:
        code = text.upper()
        if not is_isin(code):
            raise LookupError(f"{text!r} is no ISIN: its check digit does not hold")
        if code not in self._gazetteer.isins:
            raise LookupError(f"no company has the ISIN {code}; {_OWN}")
        return self._gazetteer.isins[code]

    def _by_ticker(self, text: str) -> str:
        found = self._tickers.get(text.upper().replace(" ", ""), set())
        if len(found) == 1:
            return next(iter(found))
        reason = f"several have it: {', '.join(sorted(found))}; write exchange:symbol" if found else _OWN
        raise LookupError(f"no one company has the ticker {text}; {reason}")

    def _by_name(self, text: str) -> str:
        company = self._names.find(text)
        if company is not None:
            return company
        if text.lower() in self._gazetteer:
            return text.lower()
        close = difflib.get_close_matches(text.lower(), [one.id for one in self._gazetteer], n=1, cutoff=0.6)
        hint = f"; did you mean {self._gazetteer.get(close[0]).name}?" if close else ""
        raise LookupError(f"no company is named {text!r}{hint}")


_OWN: Final = "a companies file of your own can name it"
_WORDS: Final = {"lei": "LEI", "isin": "ISIN", "ticker": "ticker", "name": "name"}
