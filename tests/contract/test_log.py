"""What every log must do: topics, appending, reading, cleaning.

Each test runs on each log through the fixtures `storage` and `log` (conftest.py).
"""

import asyncio
import time

import pytest
from tests.contract.reading import at, drain, every, receive, record, values

from tieup.errors import TopicError
from tieup.log.base import TaskId, partition_for

NOW_MS = int(time.time() * 1000)
"""A broker cleans by its own clock, so records that must stay have to be young."""


class TestTopics:
    async def test_create_makes_what_is_missing_and_names_it(self, storage, log):
        first, second = storage.topic("first"), storage.topic("second", single=True)
        assert await log.create([first]) == [first.name]
        assert await log.create([first, second]) == [second.name]
        assert await log.create([first, second]) == []

    async def test_a_topic_has_the_configured_number_of_partitions_or_one(self, storage, log, one, many):
        assert await log.partitions(many.name) == storage.partitions
        assert await log.partitions(one.name) == 1

    async def test_an_unknown_topic_is_named(self, storage, log):
        missing = storage.topic("missing")
        with pytest.raises(TopicError, match=missing.name):
            await log.partitions(missing.name)

    async def test_check_is_silent_about_topics_as_wanted(self, storage, log):
        wanted = [
            storage.topic("plain"),
            storage.topic("table", compact=True),
            storage.topic("both", single=True, compact=True, retention_ms=86_400_000),
            storage.topic("kept", retention_ms=604_800_000),
        ]
        await log.create(wanted)
        assert await log.check(wanted) == []

    @pytest.mark.parametrize(
        ("was", "wanted", "word"),
        [
            ({}, {"single": True}, "partition"),
            ({}, {"compact": True}, "compact"),
            ({"retention_ms": 3_600_000}, {"retention_ms": 7_200_000}, "7200000"),
            ({"retention_ms": 3_600_000}, {}, "3600000"),
        ],
    )
    async def test_check_names_each_difference_in_one_line(self, storage, log, was, wanted, word):
        await log.create([storage.topic("shape", **was)])
        (line,) = await log.check([storage.topic("shape", **wanted)])
        assert storage.topic("shape").name in line
        assert word in line
        assert "\n" not in line

    async def test_check_names_a_missing_topic(self, storage, log):
        missing = storage.topic("missing")
        (line,) = await log.check([missing])
        assert missing.name in line


class TestAppend:
    async def test_records_come_back_in_order_within_a_partition(self, storage, log, many):
        sent = [record(many, b"k%d" % (n % 7), b"%d" % n) for n in range(200)]
        for chunk in range(0, 200, 50):
            await log.append(sent[chunk : chunk + 50])
        found = await drain(log, every(storage, many))
        assert len(found) == 200
        for partition in range(storage.partitions):
            here = [one for one in found if one.partition == partition]
            expected = [one.value for one in sent if partition_for(one.key, storage.partitions) == partition]
            assert values(here) == expected
            assert [one.offset for one in here] == sorted({one.offset for one in here})

    async def test_append_returns_the_offsets_in_the_order_given(self, storage, log, many):
        sent = [record(many, b"k%d" % n, b"%d" % n) for n in range(20)]
        offsets = await log.append(sent)
        assert len(offsets) == 20
        found = {one.value: one.offset for one in await drain(log, every(storage, many))}
        assert [found[one.value] for one in sent] == offsets

    async def test_a_key_is_placed_as_java_clients_place_it(self, storage, log, many):
        # Utils.murmur2 of org.apache.kafka.common.utils.UtilsTest, modulo four partitions
        known = {b"21": -973932308, b"foobar": -790332482, b"a-little-bit-long-string": -985981536, b"abc": 479470107}
        await log.append([record(many, key) for key in known])
        found = {one.key: one.partition for one in await drain(log, every(storage, many))}
        assert found == {key: (hashed & 0x7FFFFFFF) % storage.partitions for key, hashed in known.items()}

    async def test_place_by_stands_in_for_the_key(self, storage, log, many):
        await log.append([record(many, b"k%d" % n, place_by=b"example.com") for n in range(10)])
        found = await drain(log, every(storage, many))
        assert {one.partition for one in found} == {partition_for(b"example.com", storage.partitions)}
        assert {one.key for one in found} == {b"k%d" % n for n in range(10)}

    async def test_a_named_partition_wins(self, storage, log, many):
        await log.append([record(many, b"k", partition=3, place_by=b"x"), record(many, b"k", partition=1)])
        found = await drain(log, every(storage, many))
        assert sorted(one.partition for one in found) == [1, 3]

    async def test_everything_comes_back_byte_for_byte(self, log, one):
        headers = (("ce_id", b"\x00\xff"), ("ce_id", b""), ("content-type", b"application/json"), ("näher", b"\n"))
        sent = [
            record(one, b"\x00\xff\xfe", b"\x80\x00" * 40, timestamp=1_700_000_000_123, headers=headers),
            record(one, "schlüssel".encode(), b"", timestamp=0),
            record(one, b"gone", None, timestamp=999_999_999_999),
            record(one, b"", b"x" * 300_000),
        ]
        await log.append(sent)
        found = await drain(log, [at(one)])
        assert [(r.key, r.value, r.timestamp, r.headers) for r in found] == [
            (r.key, r.value, r.timestamp, r.headers) for r in sent
        ]
        assert {(r.topic, r.partition) for r in found} == {(one.name, 0)}

    async def test_all_records_are_appended_or_none(self, storage, log, one, many):
        missing = storage.topic("missing")
        with pytest.raises(TopicError, match=missing.name):
            await log.append([record(one, b"a"), record(many, b"b"), record(missing, b"c")])
        assert await drain(log, [at(one), *every(storage, many)]) == []

    async def test_a_partition_that_is_not_there_is_refused(self, log, one):
        with pytest.raises(TopicError, match=one.name):
            await log.append([record(one, b"a"), record(one, b"b", partition=9)])
        assert await drain(log, [at(one)]) == []

    async def test_nothing_to_append_is_nothing(self, log, one):
        assert await log.append([]) == []
        assert await drain(log, [at(one)]) == []


class TestOffsets:
    async def test_an_empty_partition_starts_and_ends_at_zero(self, storage, log, many):
        zero = dict.fromkeys(every(storage, many), 0)
        assert await log.first_offsets(every(storage, many)) == zero
        assert await log.end_offsets(every(storage, many)) == zero

    async def test_the_end_is_past_the_last_committed_record(self, log, one):
        offsets = await log.append([record(one, b"a"), record(one, b"b")])
        end = (await log.end_offsets([at(one)]))[at(one)]
        assert end > max(offsets)
        (later,) = await log.append([record(one, b"c")])
        assert later >= end

    async def test_an_unknown_topic_is_named(self, storage, log):
        missing = storage.topic("missing")
        with pytest.raises(TopicError, match=missing.name):
            await log.end_offsets([at(missing)])


class TestReader:
    async def test_reads_from_the_positions_given(self, log, one):
        offsets = await log.append([record(one, b"k", b"%d" % n) for n in range(5)])
        assert values(await drain(log, [at(one)], start=offsets[3])) == [b"3", b"4"]

    async def test_gives_no_more_than_asked_and_goes_on(self, log, one):
        await log.append([record(one, b"k", b"%d" % n) for n in range(7)])
        reader = await log.reader({at(one): 0})
        first = await receive(reader, 3)
        assert len(first) == 3
        assert values(first + await receive(reader, 4)) == [b"%d" % n for n in range(7)]
        await reader.close()

    async def test_positions_follow_what_was_given_out(self, log, one):
        await log.append([record(one, b"k", b"%d" % n) for n in range(4)])
        reader = await log.reader({at(one): 0})
        assert reader.positions() == {at(one): 0}
        last = (await receive(reader, 2))[-1]
        assert reader.positions() == {at(one): last.offset + 1}
        again = await log.reader(reader.positions())
        assert values(await receive(again, 2)) == [b"2", b"3"]
        await reader.close()
        await again.close()

    async def test_an_empty_poll_ends(self, log, one):
        reader = await log.reader({at(one): 0})
        assert await reader.poll(10, 0.1) == []
        assert await reader.poll(10, 0) == []
        assert reader.positions() == {at(one): 0}
        await reader.close()

    async def test_a_waiting_poll_gets_what_arrives(self, log, one):
        reader = await log.reader({at(one): 0})
        waiting = asyncio.create_task(receive(reader, 1))
        await asyncio.sleep(0)
        await log.append([record(one, b"k", b"late")])
        assert values(await waiting) == [b"late"]
        await reader.close()

    async def test_a_waiting_poll_gets_what_another_log_appends(self, storage, log, one):
        other = await storage.open()
        reader = await log.reader({at(one): 0})
        waiting = asyncio.create_task(receive(reader, 1))
        await asyncio.sleep(0)
        await other.append([record(one, b"k", b"late")])
        assert values(await waiting) == [b"late"]
        await reader.close()

    async def test_a_full_partition_does_not_starve_the_others(self, log, many):
        await log.append([record(many, b"k", b"%d" % n, partition=0) for n in range(400)])
        await log.append([record(many, b"k", b"rare", partition=2)])
        reader = await log.reader({at(many, 0): 0, at(many, 2): 0})
        found = await receive(reader, 401)
        assert sum(r.partition == 2 for r in found) == 1
        assert values(r for r in found if r.partition == 0) == [b"%d" % n for n in range(400)]
        await reader.close()

    async def test_large_records_all_arrive(self, log, one):
        big = [bytes([n]) * 900_000 for n in range(12)]
        for value in big:
            await log.append([record(one, b"k", value)])
        assert values(await drain(log, [at(one)])) == big

    async def test_an_unknown_topic_is_named(self, storage, log):
        missing = storage.topic("missing")
        with pytest.raises(TopicError, match=missing.name):
            await log.reader({at(missing): 0})


class TestCleaning:
    async def test_positions_pass_the_holes_of_compaction(self, storage, log):
        if not storage.compacts:
            pytest.skip("compaction here takes longer than a test may")
        table = storage.topic("table", single=True, compact=True)
        await log.create([table])
        for n in range(10):
            await log.append([record(table, b"k%d" % (n % 2), b"%d" % n)])
        before = await drain(log, [at(table)])
        await storage.compact(log)
        after = await drain(log, [at(table)])
        assert len(after) < len(before)
        assert {r.key: r for r in after} == {r.key: r for r in before}
        assert (await log.end_offsets([at(table)]))[at(table)] > before[-1].offset

    async def test_retention_raises_the_first_offset_and_a_reader_below_moves_up(self, storage, log):
        topic = storage.topic("short", single=True, retention_ms=3_600_000)
        await log.create([topic])
        offsets = []
        for n in range(6):
            offsets += await log.append([record(topic, b"k", b"%d" % n, timestamp=NOW_MS + n)])
        reader = await log.reader({at(topic): 0})
        await storage.expire(log, at(topic), offsets[4])
        assert await log.first_offsets([at(topic)]) == {at(topic): offsets[4]}
        assert values(await receive(reader, 2)) == [b"4", b"5"]
        await reader.close()

    async def test_a_committed_offset_below_the_first_is_still_told(self, storage, log):
        topic = storage.topic("short", single=True, retention_ms=3_600_000)
        await log.create([topic])
        offsets = []
        for n in range(4):
            offsets += await log.append([record(topic, b"k", b"%d" % n, timestamp=NOW_MS + n)])
        task = await log.open_task(TaskId(storage.group(), "w", 0))
        await task.commit([], {at(topic): offsets[1]})
        await storage.expire(log, at(topic), offsets[3])
        position = (await task.committed([at(topic)]))[at(topic)]
        assert position == offsets[1]
        assert values(await drain(log, [at(topic)], start=position)) == [b"3"]
        await task.close()
