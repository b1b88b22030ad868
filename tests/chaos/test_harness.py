"""What the harness itself promises: it waits while anything moves, goes on where it was, and its faults are real."""

import io
import struct
import uuid
from contextlib import contextmanager

import orjson
import pytest
from aiokafka.protocol import commit, produce, transaction
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from tests.chaos import observer as observers
from tests.chaos.ending import Ending, wait
from tests.chaos.guarding import guarded
from tests.chaos.judge import Faults, Seen, faults, times
from tests.chaos.observer import Observer, read_all, seen
from tests.chaos.plan import KINDS, plan
from tests.chaos.proxy import PRODUCE, TOPIC_AUTHORIZATION_FAILED, refusal, tasks_of
from tests.chaos.rows import Row, Rows
from tests.service import until

BOUNDS = {"most_s": 1000.0, "settle_s": 10.0, "stuck_s": 100.0}


def ends(looks):
    """How and when it ends with these looks, one a second; the last one repeats."""
    now = [0.0]
    ending = Ending(100, **BOUNDS)

    def look(which):
        return looks[min(int(now[0]), len(looks) - 1)][which]

    def sleep(seconds):
        now[0] += seconds

    how = wait(ending, told=lambda: look(0), left=lambda: look(1), clock=lambda: now[0], sleep=sleep)
    return how, now[0]


class TestEnding:
    def test_all_told_is_the_end(self):
        assert ends([(99, 0), (100, 0)]) == ("told", 1.0)

    def test_a_backlog_that_drains_is_waited_for_however_slowly(self):
        slow = [(n // 50, 100 - n // 50) for n in range(5_000)]
        assert ends(slow[:900]) == ("stuck", 850.0 + 100.0)
        assert ends(slow) == ("late", 1000.0)

    def test_what_is_missing_after_all_was_passed_is_lost_and_nobody_waits_on(self):
        assert ends([(98, 4), (99, 0)]) == ("passed", 11.0)

    def test_input_that_is_passed_is_progress_though_nothing_is_told(self):
        looks = [(0, 1_000 - n // 90) for n in range(500)] + [(100, 0)]
        assert ends(looks) == ("told", 500.0)

    def test_a_coordinator_that_is_away_ends_nothing_early(self):
        assert ends([(50, 50), *[(50, None)] * 60, (100, 0)]) == ("told", 61.0)

    def test_nothing_moving_has_a_bound(self):
        assert ends([(50, 50)]) == ("stuck", 100.0)


class TestStalls:
    def test_only_time_in_which_an_article_waited_counts(self):
        seen = [Seen(0, 0, "", 1.0), Seen(1, 1, "", 101.0)]
        assert times({0: 0.5, 1: 100.0}, seen)[0] == 1.0

    def test_what_never_came_waited_until_the_end(self):
        assert times({0: 0.5, 1: 1.0}, [Seen(0, 0, "", 1.5)], ended_at=61.5)[0] == 60.0


class TestRows:
    ROW = Row("kafka", 3, 10, 1, "abc", {"cut": 2}, lost=0, duplicated=1, reordered=0, aborted_visible=0, stall_s=31.0)

    def test_a_row_is_found_again_for_the_same_code_only(self, tmp_path):
        Rows(tmp_path / "rows.jsonl").add(self.ROW)
        again = Rows(tmp_path / "rows.jsonl")
        assert again.find(self.ROW.place, "abc") == self.ROW
        assert again.find(self.ROW.place, "abd") is None
        assert again.find(("kafka", 4, 10, 1), "abc") is None

    def test_the_table_marks_what_passes_its_bound_and_the_later_row_counts(self, tmp_path):
        rows = Rows(tmp_path / "rows.jsonl")
        rows.add(self.ROW)
        rows.add(Row("kafka", 3, 10, 1, "abd", {}, 0, 0, 0, 0, stall_s=40.0, others=0.5, ended="stuck"))
        lines = (tmp_path / "rows.md").read_text().splitlines()
        assert len(lines) == 3
        assert "40.0 ! (busy)" in lines[2]
        assert "| 0 (stuck) |" in lines[2]


def test_a_plan_is_drawn_from_its_seed_alone():
    assert plan(7, 100, 3, 3) == plan(7, 100, 3, 3) != plan(8, 100, 3, 3)
    assert {blow.kind for seed in range(20) for blow in plan(seed, 100, 3, 3)} == set(KINDS)
    assert {blow.kind for blow in plan(1, 100, 3, 3, kinds={"cut": 1})} == {"cut"}


@pytest.mark.parametrize("version", [5, 6, 7])
def test_a_refusal_is_the_answer_to_its_request(version):
    request = getattr(produce, f"ProduceRequest_v{version}")("task-0", -1, 1000, [("topic", [(3, b"batch")])])
    head = struct.pack(">hhih", PRODUCE, version, 77, 5) + b"tieup"
    answer = io.BytesIO(refusal(head + request.encode()))
    assert struct.unpack(">ii", answer.read(8)) == (len(answer.getvalue()) - 4, 77)
    topics, _ = getattr(produce, f"ProduceResponse_v{version}").SCHEMA.decode(answer)
    assert topics == [("topic", [(3, TOPIC_AUTHORIZATION_FAILED, -1, -1, -1)])]


@pytest.mark.parametrize(
    "request_",
    [
        transaction.EndTxnRequest_v0("group-3", 7, 0, True),
        transaction.InitProducerIdRequest_v0("group-3", 15_000),
        commit.OffsetFetchRequest_v1("group", [("topic", [3])]),
        commit.OffsetFetchRequest_v3("group", [("topic", [3])]),
    ],
    ids=lambda request: type(request).__name__,
)
def test_what_a_task_asks_is_known_for_its_own(request_):
    head = struct.pack(">hhih", request_.API_KEY, request_.API_VERSION, 77, 5) + b"tieup"
    assert tasks_of(head + request_.encode()) == {"group-3"}


@guarded
@pytest.mark.kafka
def test_what_is_taken_back_is_seen_by_who_reads_what_is_not_committed(kafka, monkeypatch, guarded):
    """On a real broker: the judge calls it aborted-visible, and who reads committed records only never sees it."""
    topics = {name: f"judged.{uuid.uuid4().hex}.{name}" for name in ("relations", "events")}
    admin = AdminClient({"bootstrap.servers": kafka})
    for made in admin.create_topics([NewTopic(one, 1) for one in topics.values()]).values():
        made.result(30)
    monkeypatch.setattr(observers, "NAMES", {topic: name for name, topic in topics.items()})
    monkeypatch.setattr(observers, "EVENTS", topics["events"])
    ids = {f"article-{number}": number for number in range(3)}
    isolation = "read_committed" if guarded else "read_uncommitted"
    live, teller = Observer(kafka, ids, dict.fromkeys(topics.values(), 1), isolation), Teller(kafka, topics)
    live.start()
    teller.tell(0)
    until(lambda: live.told == {0})
    with teller.taken_back(1):
        until(lambda: guarded or live.told == {0, 1})
    teller.tell(1)
    teller.tell(2)
    until(lambda: live.told == {0, 1, 2})
    live.listen_out(0.1)
    final = [read_all(kafka, topic, "read_committed", lambda one: seen(one, ids)) for topic in topics.values()]
    found = faults(3, {number: (0, number) for number in range(3)}, *final, live.seen)
    assert found == Faults(aborted_visible=0 if guarded else 2)


class Teller:
    """Tells of articles, a relation and an event each, in transactions."""

    def __init__(self, servers, topics):
        self._topics = topics
        self._producer = Producer({"bootstrap.servers": servers, "transactional.id": uuid.uuid4().hex, "log_level": 0})
        self._producer.init_transactions(30)

    def tell(self, number):
        self._begin(number, b"1")
        self._producer.commit_transaction(30)

    @contextmanager
    def taken_back(self, number):
        """Tells, and takes it back at the end."""
        self._begin(number, b"0")
        yield
        self._producer.abort_transaction(30)

    def _begin(self, number, attempt):
        self._producer.begin_transaction()
        self._producer.produce(self._topics["relations"], attempt, b"article-%d" % number)
        about = {"cause": {"article_id": f"article-{number}"}, "attempt": attempt.decode()}
        self._producer.produce(self._topics["events"], orjson.dumps(about))
        self._producer.flush(30)
