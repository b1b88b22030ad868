"""Whose word counts on who leads, when one of the brokers hung."""

import pytest

from tieup.log.kafka_leaders import Told, trusted

AT = ("t", 0)


def told(leader, *living):
    return Told(frozenset(living), {AT: leader})


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({1: told(1, 1)}, {1}),
        ({1: told(2, 1, 2, 3), 2: told(2, 1, 2, 3)}, {1, 2}),
        ({1: told(1, 1, 2, 3), 2: told(2, 2, 3), 3: told(2, 2, 3)}, {2, 3}),
        ({1: told(1, 1, 2, 3), 2: told(2, 2, 3)}, set()),
        ({1: told(1, 1, 2, 3), 2: told(2, 1, 2, 3), 3: told(2, 1, 2, 3)}, set()),
        ({1: told(1, 1, 2, 3)}, set()),
        ({1: told(1, 1, 2)}, set()),
        ({1: told(1, 1, 2), 2: told(2, 2)}, {2}),
        ({1: told(1, 1), 2: told(2, 2)}, set()),
        ({}, set()),
    ],
    ids=[
        "a lone broker",
        "one of three silent",
        "one that hung, and is fenced",
        "one that hung, and half of the rest silent",
        "one that is behind",
        "only the one that hung",
        "one of two",
        "two, of which one hung",
        "each without the other",
        "nobody",
    ],
)
def test_the_word_of_a_broker_that_hung_counts_for_nothing(answers, expected):
    assert trusted(answers) in (expected or {None})
