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
UNSAID: Final = {
    "relation": "no sentence of its own",
    "kind": "no words of its own: what sort of companies they are, and the other words",
    "stage": "no words of its own: the kind, and the other words",
    "factuality": "nobody is credited: the article states it",
}
"""What leads to a label that has no words to show."""
UNMARKED: Final = frozenset({"relation"})
"""Whole sentences: marking them would hide the words that count."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of one part of the article and the labels that it led to: `stage 1` is the first relation's stage."""

    start: int
    end: int
    label: str
    tags: tuple[str, ...]


def article_evidence(article: Article, relations: Sequence[Relation], *, explain: bool = False) -> RenderableType:
    """Return the relations, numbered, and the article with every evidence in colour, followed by its labels in
    brackets (which tell it without colour too). With `explain`, how sure each label is, and which words led to it.
    """
    if not relations:
        return Group(Text("No relation: the article states no automotive tie-up.\n"), marked(article.text, ()))
    parts: list[RenderableType] = [
        _relation(number, one, explain=explain) for number, one in enumerate(relations, start=1)
    ]
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


def _relation(number: int, relation: Relation, *, explain: bool) -> RenderableType:
    names = " – ".join(_party(name, role) for name, role in ((one.name, one.role) for one in relation.parties))
    head = Text.assemble((f"{number}  ", "dim"), plain(names, style="bold"))
    labels = Text(f"   {words(relation.kind)} · {words(relation.stage)} · ")
    labels.append_text(factuality_text(relation.factuality))
    labels.append(f" (basis: {words(relation.basis)}) · {relation.focus}")
    why = [Padding(explanation(relation), (0, 0, 0, 3))] if explain else []
    return Group(head, labels, *why, Padding(_details(relation), (0, 0, 1, 3)))


def explanation(relation: Relation) -> Table:
    """Return a row for each judgement on a relation: what it is, how likely it is right, and the words that led to it.

    The last row is that of all of them being right.
    """
    table = Table.grid(padding=(0, 2))
    for style in ("dim", "bold", "", ""):
        table.add_column(style=style, overflow="fold")
    said = relation.confidences
    for label, value in (
        ("relation", " – ".join(one.name for one in relation.parties)),
        ("kind", words(relation.kind)),
        ("stage", words(relation.stage)),
        ("factuality", f"{relation.factuality} ({words(relation.basis)})"),
    ):
        told = [f"“{one_line(one.text)}”" for one in relation.evidence if one.label == label]
        sure = "" if said is None else f"{getattr(said, label):.2f}"
        table.add_row(label, plain(value), sure, plain(", ".join(told) or UNSAID[label]))
    table.add_row("all right", "", f"{relation.confidence:.2f}", "")
    return table


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
