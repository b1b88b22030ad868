"""What a deal is about, as far as it tells two deals of the same companies apart: goods, towns, countries, projects.

The words stand in `data/subjects.toml`; a mark is a word in capitals or with digits that names a model, a platform or a
project (MEB, ID.4). Read are the sentences that state a relation, and the title where it does.
"""

import re
import tomllib
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from itertools import islice
from typing import Final

import msgspec
from ahocorasick_rs import AhoCorasick, MatchKind

from tieup.errors import DataError
from tieup.model.labels import Focus
from tieup.model.relation import ArticleRelations, Relation
from tieup.stories.parties import Companies

MAX_SUBJECTS: Final = 12
MAX_MARKS: Final = 6
_FILE: Final = "subjects.toml"
_READ_CHARS: Final = 2_000
_MARK: Final = re.compile(r"(?<![\w.-])(?:[A-Z]{3,}|[A-Z][A-Za-z]*[.-]?\d[\w.-]*)(?![\w-])")


@dataclass(frozen=True, slots=True)
class Table:
    """The words of each subject, by what sort of subject it is; `no` are words in capitals that are no marks."""

    goods: Mapping[str, tuple[str, ...]]
    wares: Mapping[str, tuple[str, ...]]
    towns: Mapping[str, tuple[str, ...]]
    countries: Mapping[str, tuple[str, ...]]
    marks: Mapping[str, tuple[str, ...]]

    def sorts(self) -> Sequence[Mapping[str, tuple[str, ...]]]:
        """The sorts of subjects that are found by their words."""
        return (self.goods, self.wares, self.towns, self.countries)


@dataclass(frozen=True, slots=True)
class Likeness:
    """How far two deals are about the same: each is None where one of them does not say."""

    goods: bool | None
    towns: bool | None
    wares: bool | None
    countries: bool | None
    marks: bool

    @property
    def shared(self) -> bool:
        """Whether both name a same thing that few other deals are about."""
        return not self.apart and bool(self.goods or self.towns or self.marks)

    @property
    def same(self) -> bool:
        """Whether both name the same plant or project."""
        return self.towns is not False and (self.marks or bool(self.towns))

    @property
    def apart(self) -> bool:
        """Whether they are about different goods, or different plants."""
        return (self.goods is False and not self.marks) or self.towns is False


class Subjects:
    """Finds what relations are about."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._named = [
            (word, name)
            for names in table.sorts()
            for name, words in names.items()
            for word in dict.fromkeys(map(_folded, words))
        ]
        self._matcher = AhoCorasick([word.strip("*") for word, _ in self._named], matchkind=MatchKind.LeftmostLongest)
        self._wares = {**table.goods, **table.wares}
        self._no_marks = frozenset(word for words in table.marks.values() for word in words)

    def scoped(self, found: ArticleRelations, companies: Companies) -> ArticleRelations:
        """Return the article, the scope of its news filled by what it is about; companies are no marks."""
        return replace(
            found,
            relations=tuple(
                replace(one, scope=self._scope(one, found, companies)) if one.focus is Focus.NEWS else one
                for one in found.relations
            ),
        )

    def compare(self, one: Collection[str], other: Collection[str]) -> Likeness:
        """Return how far two scopes agree."""
        return Likeness(
            goods=_agree(one, other, self._table.goods),
            towns=_agree(one, other, self._table.towns),
            wares=_agree(one, other, self._wares),
            countries=_agree(one, other, self._table.countries),
            marks=any(_MARK.fullmatch(name) for name in one if name in other),
        )

    def read(self, text: str) -> tuple[str, ...]:
        """Return the subjects that a text names, in order, each once: at most twelve, then at most six marks."""
        folded = _folded(text)
        hits = self._matcher.find_matches_as_indexes(folded)
        names = (self._named[at][1] for at, start, end in hits if _stands(folded, start, end, self._named[at][0]))
        marks = (mark[0] for mark in _MARK.finditer(text) if mark[0] not in self._no_marks)
        return (*islice(dict.fromkeys(names), MAX_SUBJECTS), *islice(dict.fromkeys(marks), MAX_MARKS))

    def _scope(self, relation: Relation, found: ArticleRelations, companies: Companies) -> tuple[str, ...]:
        stated = [one.text for one in relation.evidence if one.label == "relation"]
        text = "\n".join([*([found.title] if relation.in_title else []), *relation.scope, *stated])[:_READ_CHARS]
        parties = {word.casefold() for party in relation.parties for word in party.name.split()}
        read = (
            name
            for name in self.read(text)
            if not _MARK.fullmatch(name) or (name.casefold() not in parties and companies.find_by_name(name) is None)
        )
        return tuple(dict.fromkeys((*relation.scope, *read)))


@cache
def load_subjects() -> Subjects:
    """Return what finds subjects. Raises DataError, naming the place, if the file in the package is wrong."""
    return parse_subjects((resources.files(__package__) / "data" / _FILE).read_text("utf-8"))


def parse_subjects(text: str) -> Subjects:
    """Return what finds the subjects in the TOML text. Raises DataError if it is not such a table."""
    try:
        table = msgspec.convert(tomllib.loads(text), Table)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise DataError(f"{_FILE}: {error}") from error
    owner: dict[str, str] = {}
    for names in table.sorts():
        for name, words in names.items():
            for word in dict.fromkeys(_folded(word).strip("*") for word in words):
                if not word or word in owner:
                    raise DataError(f"{_FILE}: {name}: {word!r} is {'empty' if not word else owner[word] + ' too'}")
                owner[word] = name
    return Subjects(table)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _stands(text: str, start: int, end: int, word: str) -> bool:
    """Say whether the word stands here by itself, or where its stars let it be part of a longer one."""
    if ord(word.strip("*")[-1]) > _LATIN_END:
        return True
    before = start == 0 or not text[start - 1].isalnum() or ord(text[start - 1]) > _LATIN_END
    after = end == len(text) or not text[end].isalnum() or ord(text[end]) > _LATIN_END
    return (before or word.startswith("*")) and (after or word.endswith("*"))


_LATIN_END: Final = 0x24F


def _agree(one: Collection[str], other: Collection[str], names: Mapping[str, object]) -> bool | None:
    left, right = {name for name in one if name in names}, {name for name in other if name in names}
    return None if not left or not right else not left.isdisjoint(right)
