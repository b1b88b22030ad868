"""Persons whose name stands for a company: who they are, and for which company in which year."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tieup.companies.folding import name_key

_AFTER = 1
"""For so many years after a post news still call its last holder by it, where no other post follows."""


@dataclass(frozen=True, slots=True)
class Post:
    """Standing for a company from the year `since` to the year `until`, both included; None: still."""

    company: str
    since: int = 0
    until: int | None = None

    def covers(self, year: int, after: int = 0) -> bool:
        """Say whether the post was held in the year, or ended up to `after` years before."""
        return self.since <= year and (self.until is None or year <= self.until + after)


@dataclass(frozen=True, slots=True)
class Person:
    """A person by name, the further spellings of the name, and the posts in the order of time."""

    name: str
    posts: tuple[Post, ...]
    aliases: tuple[str, ...] = ()

    @property
    def spellings(self) -> tuple[str, ...]:
        """The name and the aliases, the name first."""
        return (self.name, *self.aliases)


def company_of(posts: tuple[Post, ...], year: int | None) -> str | None:
    """Return the company that the holder of the posts stood for in a year, of several the latest; None if for none.

    Without a year it is that of the last post.
    """
    if year is None:
        return posts[-1].company
    for after in (0, _AFTER):
        held = [post.company for post in posts if post.covers(year, after)]
        if held:
            return held[-1]
    return None


def faults_of_people(people: Iterable[Person], companies: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield (person, what is wrong) for posts at none of the companies, years and names."""
    known = set(companies)
    owners: dict[str, str] = {}
    for person in people:
        if not person.posts:
            yield person.name, "no post is given"
        for post in person.posts:
            if post.company not in known:
                yield person.name, f"the company {post.company!r} is unknown"
            if post.until is not None and post.until < post.since:
                yield person.name, f"the years {post.since} to {post.until} run backwards"
        for name in person.spellings:
            if person.spellings.count(name) > 1:
                yield person.name, f"the name {name!r} is given twice"
                break
            owner = owners.setdefault(name_key(name), person.name)
            if owner != person.name:
                yield person.name, f"the name {name!r} is also one of {owner}"
