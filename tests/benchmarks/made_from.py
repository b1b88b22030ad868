"""What the fitted data files of extraction were made from, as digests that stand in their heads.

A fit takes minutes, so that nobody repeats it to see whether it is still that of the repository; a digest takes
milliseconds. That of the labels changes with the labelled articles, that of the rules with all that reads features.
"""

import re
from collections.abc import Iterable
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

TESTS = Path(__file__).parents[1]
PACKAGE = Path(str(files("tieup")))
FITTED = ("dev.jsonl", "own.jsonl", "fresh.jsonl", "more.jsonl", "worded.jsonl", "denied.jsonl", "no_tie.jsonl")
NEWS = TESTS / "data" / "news"
LABELS = (
    *(TESTS / "data" / "gold" / name for name in FITTED),
    *(NEWS / name for name in ("other_news.txt", "hard_news.txt", "stream_names.toml")),
    *NEWS.joinpath("stream").iterdir(),
)
EXAMPLES = [TESTS / "unit" / "claims" / name for name in ("examples.txt", "open_examples.txt", "other_news.txt")]
"""A fit takes them together, so that an example may move from one to the other."""
OUTPUTS = ("weights.toml", "meaning.toml", "relation.toml", "confidence.toml")
READERS = ("descent", "news_stream", "other_news")
"""What else in this folder bears on a fit."""
RULES = ("claims", "companies", "evaluation")
"""The stages whose code and data a fit runs through."""

_LINE = re.compile(r"^# Made from labels (?P<labels>[0-9a-f]{16}), rules (?P<rules>[0-9a-f]{16})\.$", re.MULTILINE)


def labels() -> str:
    """The digest of the labelled articles, of the examples, and of the patterns of other news."""
    examples = sorted(line for one in EXAMPLES for line in one.read_bytes().splitlines() if line[:1] != b"#")
    return sha256(_digest(LABELS).encode() + b"\n".join(examples)).hexdigest()[:16]


def rules() -> str:
    """The digest of the code and data that read features, and of the fit itself."""
    own = [one for stage in RULES for one in PACKAGE.joinpath(stage).rglob("*") if one.suffix in {".py", ".toml"}]
    fit = [*Path(__file__).parent.glob("fit*.py"), *(Path(__file__).with_name(f"{one}.py") for one in READERS)]
    return _digest([*(one for one in own if one.name not in OUTPUTS), *fit])


def line() -> str:
    """The line of a data file's head that says what it was made from."""
    return f"# Made from labels {labels()}, rules {rules()}.\n"


def told(name: str) -> tuple[str, str]:
    """The digests (labels, rules) in the head of a data file. Raises ValueError if it has none."""
    found = _LINE.search(PACKAGE.joinpath("claims", name).read_text(encoding="utf-8"))
    if found is None:
        raise ValueError(f"{name} does not say what it was made from")
    return found["labels"], found["rules"]


def stale() -> list[str]:
    """What has changed since the fit: a line for each data file and sort of input, none if nothing has."""
    now = (labels(), rules())
    return [
        f"{name}: fitted to other {sort}"
        for name in OUTPUTS
        for sort, was, is_now in zip(("labels", "rules"), told(name), now, strict=True)
        if was != is_now
    ]


def _digest(paths: Iterable[Path]) -> str:
    whole = sha256()
    for path in sorted(paths, key=lambda one: (one.name, one.as_posix())):
        whole.update(path.name.encode() + b"\0" + sha256(path.read_bytes()).digest())
    return whole.hexdigest()[:16]
