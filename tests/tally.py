"""A small worker for tests of the log and the runner: it adds numbers per key and says each new total."""

from dataclasses import dataclass, field
from datetime import datetime

import orjson

from tieup.errors import BadRecord, InvalidOutput
from tieup.log.base import NOTHING, OUTCOME_OFFSET, Act, Change, NewRecord, Output, Record


@dataclass
class TallyWorker:
    """Adds the numbers of stream `numbers`.

    State `tallies`; says each total on `totals`; a number above 1,000 is announced by an act.
    """

    totals: str
    tallies: str
    sums: dict[bytes, int] = field(default_factory=dict)
    asked: dict[bytes, int] = field(default_factory=dict)

    def process(self, record: Record) -> Output:
        if record.offset == OUTCOME_OFFSET:
            return self._announced(record)
        try:
            number = int(orjson.loads(record.value or b"null"))
        except (TypeError, ValueError) as error:
            raise BadRecord(f"{record.place}: not a number") from error
        key = record.key or b""
        total = self.sums.get(key, 0) + number
        said = NewRecord(self.totals, key, orjson.dumps({"key": key.decode(), "total": total}), record.timestamp)
        changes = [Change(self.tallies, key, orjson.dumps(total))]
        if number > 1000:
            changes.append(Change(self.tallies, b"ask:" + key, orjson.dumps(number)))
        return Output(records=(said,), changes=tuple(changes))

    def apply(self, change: Change) -> None:
        if change.key.startswith(b"ask:"):
            if change.value is None:
                self.asked.pop(change.key, None)
            else:
                self.asked[change.key] = orjson.loads(change.value)
        elif change.value is None:
            self.sums.pop(change.key, None)
        else:
            self.sums[change.key] = orjson.loads(change.value)

    def wake(self, now: datetime) -> Output:
        if not self.asked:
            return NOTHING
        return Output(acts=tuple(Act(key.decode(), number) for key, number in self.asked.items()))

    def _announced(self, record: Record) -> Output:
        if record.value == b"poison":
            raise BadRecord(f"{record.place}: poison outcome")
        key = record.key or b""
        said = NewRecord(self.totals, key, record.value, record.timestamp)
        return Output(records=(said,), changes=(Change(self.tallies, key, None),))


@dataclass
class AnyValue:
    """A validator that refuses only what a test calls wrong: values that hold the word `invalid`."""

    def check(self, topic: str, value: bytes | None) -> None:
        if value is not None and b"invalid" in value and not topic.endswith("dead-letters.v1"):
            raise InvalidOutput(f"{topic}: invalid")
