"""The rows of `make chaos`: one for each run, kept as it ends, so that what was stopped goes on where it was.

A row stands for the service's code that it was measured with, and is not used for any other.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import msgspec

HARNESS = Path(__file__).parent
SOURCES = Path(__file__).parent.parent.parent / "services" / "tieup"
STALL_S = 30.0
"""The longest stall that a run may show."""
BUSY = 0.2
"""From this share of the machine's processor time in other hands on, a run's times say little."""

Place = tuple[str, int, int, int]
"""The log (and the guard that is off), the seed, the records, the brokers."""


@dataclass(frozen=True, slots=True)
class Row:
    """One run's figures; times in seconds. `log` is kafka or embedded (and without which guard), `code` the digest of
    the service that ran.

    `blows` counts what was done to it by kind, `ended` says how the waiting ended (Ending). `others` is the share of
    the machine's processor time that other work took.
    """

    log: str
    seed: int
    records: int
    brokers: int
    code: str
    blows: dict[str, int]
    lost: int
    duplicated: int
    reordered: int
    aborted_visible: int
    stall_s: float = 0.0
    restore_s: float = 0.0
    p50_s: float = 0.0
    p99_s: float = 0.0
    seconds: float = 0.0
    others: float = 0.0
    ended: str = "told"
    faulty: tuple[str, ...] = ()
    more: dict[str, object] = field(default_factory=dict)

    @property
    def of_the_four(self) -> int:
        """How many of the four faults there are."""
        return self.lost + self.duplicated + self.reordered + self.aborted_visible

    @property
    def faults(self) -> int:
        """How many of the four faults there are, and of whatever else must not be."""
        return self.of_the_four + len(self.faulty)

    @property
    def place(self) -> Place:
        """What run it is: a later row of the same run takes the place of an earlier one."""
        return self.log, self.seed, self.records, self.brokers


def code() -> str:
    """Twelve hex digits that change with any module or data file of the service, and with any of this harness."""
    digest = hashlib.sha256()
    for file in sorted(
        one for folder in (SOURCES, HARNESS) for kind in ("*.py", "*.toml") for one in folder.rglob(kind)
    ):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]


class Rows:
    """The rows kept in a file of JSON lines, and the table made of them beside it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._rows: dict[Place, Row] = {}
        if file.exists():
            for line in file.read_bytes().splitlines():
                row = msgspec.json.decode(line, type=Row)
                self._rows[row.place] = row

    def find(self, place: Place, digest: str) -> Row | None:
        """The row of that run with that code, if it was made."""
        row = self._rows.get(place)
        return row if row is not None and row.code == digest else None

    def add(self, row: Row) -> None:
        """Keep a row and write the table anew."""
        self._rows[row.place] = row
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("ab") as file:
            file.write(msgspec.json.encode(asdict(row)) + b"\n")
        self._file.with_suffix(".md").write_text(table(self._rows[place] for place in sorted(self._rows)))


HEAD = (
    *("log", "seed", "records", "kills", "other blows", "lost", "duplicated", "reordered", "aborted-visible"),
    *("longest stall s", "restore s", "p50 s", "p99 s", "others' load", "code"),
)


def cells(row: Row) -> tuple[str, ...]:
    """A row in the order of HEAD. What passes its bound, or did not end as it should, is marked with what it is."""
    busy = row.others >= BUSY
    kills = sum(count for kind, count in row.blows.items() if kind.startswith("kill"))
    if not row.brokers:  # the embedded log's lives are too short for times
        return (
            *(row.log, f"{row.seed}", f"{row.records:,}", f"{kills}", "0", f"{row.lost}", f"{row.duplicated}"),
            *(f"{row.reordered}", f"{row.aborted_visible}", "–", "–", "–", "–", f"{row.others:.0%}", row.code),
        )
    stall = f"{row.stall_s:.1f}" + (" !" if row.stall_s > STALL_S else "") + (" (busy)" if busy else "")
    lost = f"{row.lost}" + ("" if row.ended in {"told", "passed"} else f" ({row.ended})")
    return (
        *(row.log, f"{row.seed}", f"{row.records:,}", f"{kills}", f"{sum(row.blows.values()) - kills}"),
        *(lost, f"{row.duplicated}", f"{row.reordered}", f"{row.aborted_visible}"),
        *(stall, f"{row.restore_s:.1f}", f"{row.p50_s:.2f}", f"{row.p99_s:.1f}", f"{row.others:.0%}", row.code),
    )


def table(rows: Iterable[Row]) -> str:
    """The rows as a Markdown table."""
    lines = [HEAD, ("---",) * len(HEAD), *map(cells, rows)]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)
