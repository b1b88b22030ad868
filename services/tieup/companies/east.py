"""Names of companies that the gazetteer lacks in Chinese, Japanese and Korean text.

Chinese and Japanese write no spaces, so a name counts only between marks that part it: a word of trade or a joining
word before it, and an ending of companies' names, quotes, or a change of script.
"""

import re
from collections.abc import Iterator, Sequence

from tieup.companies.stranger_rules import EastRules

_LATIN_NAME = r"[A-Z][A-Za-z0-9&.+-]{2,24}(?: [A-Z][A-Za-z0-9&.+-]{1,24}){0,2}"
_KATAKANA = r"[\u30a1-\u30fa\u30fc\u30fb]{3,20}"

_HANGUL = r"[\uac00-\ud7a3]"
_SPLIT = r"^|[，。、：；！？“”（）《》\s‘’「」,;:(\"'\ue000]"
_FUNCTION = "的了在是为将把被与和及等个家款辆年月日这那该其已就也都对从到向以之有并或由于但而后前中上下同又再"
_HAN = rf"(?:(?![{_FUNCTION}])[\u4e00-\u9fff])"
_ACRONYMS = frozenset(
    {"CEO", "CFO", "CTO", "SUV", "MPV", "OTA", "OEM", "IPO", "EV", "BEV", "PHEV", "GWh", "ADAS", "NOA", "LFP", "ODM"}
)


class EastFinder:
    """Finds names by language: zh, ja, ko; immutable."""

    def __init__(self, rules: EastRules) -> None:
        self._generic = frozenset(rules.zh_generic)
        self._suffixes = rules.zh_suffixes
        self._patterns = {
            "zh": _chinese(_any(rules.zh_before), _any(rules.zh_suffixes)),
            "ja": _japanese(_any(rules.ja_before), _any(rules.ja_suffixes)),
            "ko": _korean(_any(rules.ko_before), _any(rules.ko_suffixes), _any(rules.ko_particles)),
        }

    def names(self, blotted: str, language: str) -> Iterator[tuple[str, bool]]:
        """Yield the names that the text introduces, all as companies', by the ways in which it does."""
        for pattern in self._patterns.get(language, ()):
            for found in pattern.finditer(blotted):
                name = found.group(1).strip(" .・")
                if self._may_be(name):
                    yield name, True

    def _may_be(self, name: str) -> bool:
        if name in _ACRONYMS or len(name) < 3:
            return False
        body = name
        for end in sorted(self._suffixes, key=len, reverse=True):
            if name.endswith(end):
                body = name[: -len(end)]
                break
        return body not in self._generic and not _holds(self._generic, body)


def _chinese(before: str, ends: str) -> tuple[re.Pattern[str], ...]:
    trade = "公司|厂商|企业|供应商|服务商|制造商|初创|巨头"
    joining = "与|和|同|跟|携手|联合|牵手|入股|投资|收购"
    tie = "合作|签|达成|成立|共同|联合|合资|展开|组建|建立|，|。|$"
    return (
        re.compile(rf"(?:{_SPLIT}|{before})({_HAN}{{2,4}}?(?:{ends}){{1,2}})(?!{ends}|[车車乘商产])"),
        re.compile(rf"(?:{trade})[“「]?({_LATIN_NAME})"),
        re.compile(rf"(?:{joining}) ?({_LATIN_NAME}) ?(?={tie})"),
    )


def _japanese(before: str, ends: str) -> tuple[re.Pattern[str], ...]:
    form = "株式会社|（株）|㈱"
    return (
        re.compile(rf"(?:{before})(?:の|である)?[「『]?({_LATIN_NAME}|{_KATAKANA})"),
        re.compile(rf"(?:{form})({_LATIN_NAME}|{_KATAKANA}|{_HAN}{{2,6}})"),
        re.compile(rf"({_LATIN_NAME}|{_KATAKANA})(?:{form})"),
        re.compile(rf"({_KATAKANA}(?:{ends}))"),
    )


def _korean(before: str, ends: str, particles: str) -> tuple[re.Pattern[str], ...]:
    over = rf"(?=(?:{particles})?(?:[^\uac00-\ud7a3]|$))"
    return (
        re.compile(rf"(?:{before})(?:인)? [‘'\"“]?({_LATIN_NAME}|{_HANGUL}{{1,8}}(?:{ends}))"),
        re.compile(rf"(?:{before})(?:인)? [‘'\"“]({_HANGUL}{{2,12}})[’'\"”]"),
        re.compile(rf"(?:주식회사 ?|\(주\)|㈜)({_LATIN_NAME}|{_HANGUL}{{2,12}}?){over}"),
    )


def _holds(generic: frozenset[str], body: str) -> bool:
    """Whether a generic word of two characters or more opens or closes the name's body."""
    return any(len(word) > 1 and (body.startswith(word) or body.endswith(word)) for word in generic)


def _any(words: Sequence[str]) -> str:
    return "|".join(map(re.escape, sorted(words, key=lambda word: (-len(word), word))))
