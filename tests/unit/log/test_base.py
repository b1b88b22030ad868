"""Placing: the vectors are those of Java's org.apache.kafka.common.utils.UtilsTest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieup.log.base import NewRecord, Record, TaskId, murmur2, partition_for, place

KEYS = st.binary(max_size=200)
COUNTS = st.integers(min_value=1, max_value=1000)


@pytest.mark.parametrize(
    ("text", "signed"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_murmur2_is_javas(text, signed):
    assert murmur2(text) == signed % 2**32


@given(KEYS)
def test_murmur2_fits_32_bits(key):
    assert 0 <= murmur2(key) < 2**32


@given(KEYS, COUNTS)
def test_a_key_always_has_one_partition_of_those_there_are(key, count):
    assert 0 <= partition_for(key, count) < count
    assert partition_for(bytes(bytearray(key)), count) == partition_for(key, count)


def test_the_sign_bit_is_dropped_before_the_modulo():
    # Utils.toPositive: -973932308 & 0x7fffffff = 1173551340; abs() or a signed modulo would give another partition
    assert partition_for(b"21", 7) == 1173551340 % 7
    assert partition_for(b"21", 7) != 973932308 % 7


@given(KEYS, KEYS, COUNTS)
def test_place_by_stands_in_for_the_key(key, place_by, count):
    assert place(NewRecord("t", key, b"", 0), count) == partition_for(key, count)
    assert place(NewRecord("t", key, b"", 0, place_by=place_by), count) == partition_for(place_by, count)


@given(KEYS, KEYS, st.integers(0, 1000))
def test_a_named_partition_wins(key, place_by, partition):
    assert place(NewRecord("t", key, b"", 0, place_by=place_by, partition=partition), 4) == partition


def test_keys_spread_over_all_partitions():
    placed = [partition_for(b"%032x" % n, 8) for n in range(4000)]
    counts = [placed.count(p) for p in range(8)]
    assert min(counts) > 400
    assert max(counts) < 600


def test_a_record_says_where_it_stands():
    assert Record("tieup.articles.v1", 3, 17, None, None, 0).place == "tieup.articles.v1[3]@17"


def test_a_task_has_a_transactional_id():
    assert TaskId("tieup-story", "story", 0).transactional_id == "tieup-story-0"
