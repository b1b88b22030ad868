"""An article as people check it: its relations in words, and the evidence marked in its text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tieup.cli.render import factuality_text, stance_text, words
from tieup.cli.terminal import one_line, plain, safe
from tieup.model.article import Article
from tieup.model.relation import Claim, Evidence, Part, Relation

STYLES: Final = {
    "party": "bold cyan",
    "kind": "magenta",
    "stage": "blue",
    "factuality": "red",
    "focus": "yellow",
    "origin": "green",
    "claim": "italic",
}
OTHER_STYLE: Final = "underline"
UNMARKED: Final = frozenset({"relation"})
"""Whole sentences: marking them would hide the words that count."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of one part of the article and the labels that it led to: `stage 1` is the first relation's stage."""

    start: int
    end: int
    label: str
    tags: tuple[str, ...]


def article_evidence(article: Article, relations: Sequence[Relation]) -> RenderableType:
    """Return the relations, numbered, and the article with every evidence in colour, followed by its labels in
    brackets (which tell it without colour too).
    """
    if not relations:
        return Group(Text("No relation: the article states no automotive tie-up.\n"), marked(article.text, ()))
    parts: list[RenderableType] = [_relation(number, one) for number, one in enumerate(relations, start=1)]
    if article.title:
        parts.append(marked(article.title, marks_of(relations, Part.TITLE)))
    parts += [Text(""), marked(article.text, marks_of(relations, Part.TEXT))]
    return Group(*parts)


def marks_of(relations: Sequence[Relation], part: Part) -> tuple[Mark, ...]:
    """Return the marks of one part, by place; labels with the same stretch share a mark."""
    tags: dict[tuple[int, int], dict[str, str]] = {}
    for number, relation in enumerate(relations, start=1):
        for evidence in (*relation.evidence, *map(_claim_evidence, relation.claims)):
            if evidence.part == part and evidence.label not in UNMARKED and evidence.end > evidence.start:
                place = tags.setdefault((evidence.start, evidence.end), {})
                place[f"{words(evidence.label)} {number}"] = evidence.label
    return tuple(
        Mark(start, end, next(iter(found.values())), tuple(found)) for (start, end), found in sorted(tags.items())
    )


def marked(text: str, marks: Sequence[Mark]) -> Text:
    """Return the text with its marks coloured and named. Offsets are code points of the text as given."""
    shown = Text(safe(text))
    for mark in marks:
        shown.stylize(STYLES.get(mark.label, OTHER_STYLE), mark.start, mark.end)
    pieces, at = Text(), 0
    for mark in sorted(marks, key=lambda mark: mark.end):
        end = min(mark.end, len(shown))
        pieces.append_text(shown[at:end])
        pieces.append(f"[{', '.join(mark.tags)}]", style="dim")
        at = end
    return pieces.append_text(shown[at:])


def _claim_evidence(claim: Claim) -> Evidence:
    return Evidence("claim", claim.span.part, claim.span.start, claim.span.end, claim.span.quote)


def _relation(number: int, relation: Relation) -> RenderableType:
    names = " – ".join(_party(name, role) for name, role in ((one.name, one.role) for one in relation.parties))
    head = Text.assemble((f"{number}  ", "dim"), plain(names, style="bold"))
    labels = Text(f"   {words(relation.kind)} · {words(relation.stage)} · ")
    labels.append_text(factuality_text(relation.factuality))
    labels.append(f" (basis: {words(relation.basis)}) · {relation.focus}")
    return Group(head, labels, Padding(_details(relation), (0, 0, 1, 3)))


def _party(name: str, role: str | None) -> str:
    return f"{name} ({words(role)})" if role else name


def _details(relation: Relation) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("origin", plain(relation.origin))
    if relation.binding is not None:
        table.add_row("binding", "yes" if relation.binding else "no")
    if relation.milestones:
        table.add_row("milestones", ", ".join(map(words, relation.milestones)))
    if relation.ended_as:
        table.add_row("ended as", words(relation.ended_as))
    for claim in relation.claims:
        table.add_row("claim", _claim(claim))
    for evidence in relation.evidence:
        table.add_row(words(evidence.label), plain(evidence.text))
    return table


def _claim(claim: Claim) -> Text:
    stance = stance_text(claim.stance, claim.target)
    return Text.assemble(plain(claim.speaker, style="bold"), " ", stance, f": “{one_line(claim.span.quote)}”")
