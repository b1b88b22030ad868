"""How the scores of an evaluation are shown."""

from collections.abc import Iterable, Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tieup.cli.terminal import one_line, plain
from tieup.evaluation.differences import Fault, FaultyArticle
from tieup.evaluation.evaluate import Figures, Scores, figures_as_dict
from tieup.evaluation.measures import Retrieval, Share

ROWS: Final = (
    ("relevance", "relevance"),
    ("relations", "relations (by parties)"),
    ("news_recall", "news found"),
    ("kind", "kind"),
    ("stage", "stage"),
    ("factuality", "factuality"),
    ("factuality_macro_f1", "factuality macro-F1"),
    ("focus", "focus"),
    ("denials", "denials"),
    ("exact", "exact"),
    ("stories", "stories BCubed F1"),
    ("baseline", "same first parties"),
    ("confusable", "alike stories BCubed"),
    ("confusable_baseline", "alike, same parties"),
)
FAULT_STYLES: Final = {"missed": "red", "extra": "yellow", "labels": "magenta", "relevance": "red"}


def scores_json(scores: Scores, faulty: Sequence[FaultyArticle]) -> dict[str, object]:
    """Return the scores for programs."""
    return {
        "overall": figures_as_dict(scores.overall),
        "by_language": {name: figures_as_dict(figures) for name, figures in scores.by_language.items()},
        "unanswered": scores.unanswered,
        "errors": list(faulty),
    }


def score_table(scores: Scores) -> RenderableType:
    """Return two tables: all articles with precision and recall, and the headline figures by language."""
    articles = Text(f"{scores.overall.articles} articles\n")
    return Group(articles, _overall(scores.overall), Text(""), _by_language(scores.by_language))


def fault_list(faulty: Iterable[FaultyArticle]) -> RenderableType:
    """Return articles with their faults: what the gold says, what was found, and the words it is about."""
    parts: list[RenderableType] = []
    for article in faulty:
        head = Text.assemble("\n", plain(article.id, style="bold"), f" ({article.language or '?'})  ")
        parts.append(head.append_text(plain(article.title)))
        parts.append(Padding(_faults(article.faults), (0, 0, 0, 2)))
    return Group(*parts)


def _overall(figures: Figures) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Figure")
    for name in ("Score", "Precision", "Recall", "Counts"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, title in ROWS:
        table.add_row(title, *_cells(getattr(figures, name)))
    return table


def _cells(value: object) -> tuple[str, ...]:
    if isinstance(value, Retrieval):
        counts = f"{value.right} of {value.found} found, {value.wanted} wanted"
        return _number(value.f1), _number(value.precision), _number(value.recall), counts
    if isinstance(value, Share):
        return _number(value.value), "", "", f"{value.right} of {value.of}"
    return _number(value if isinstance(value, float | int) else None), "", "", ""


def _by_language(figures: dict[str, Figures]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Language")
    for name in ("Art.", "Relev.", "Relat.", "News", "Kind", "Stage", "Factual.", "Exact", "Stories"):
        table.add_column(name, justify="right", no_wrap=True)
    for language, one in sorted(figures.items(), key=lambda item: (-item[1].articles, item[0])):
        numbers = (one.relevance.f1, one.relations.f1, one.news_recall.value, one.kind.value, one.stage.value)
        more = (one.factuality.value, one.exact.f1, one.stories)
        table.add_row(plain(language), str(one.articles), *map(_number, (*numbers, *more)))
    return table


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}".replace("0.", ".", 1) if value < 1 else f"{value:.3f}"


def _faults(faults: Sequence[Fault]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold", ratio=1)
    for fault in faults:
        said = Text(" → ".join(one_line(part) for part in (fault.gold, fault.found) if part))
        if fault.snippet:
            said.append(f"\n“{one_line(fault.snippet)}”", style="dim")
        table.add_row(Text(fault.sort, style=FAULT_STYLES[fault.sort]), said)
    return table
