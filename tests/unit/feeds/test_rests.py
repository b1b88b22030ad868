import pytest

from tieup.errors import HostBusy
from tieup.feeds.rests import Rests


def test_a_domain_is_left_alone_for_as_long_as_it_asked() -> None:
    now = [0.0]
    rests = Rests(lambda: now[0])
    rests.check("https://a.example/1")
    rests.note("https://feeds.a.example/1", 60)
    rests.note("https://a.example/2", 5)
    rests.check("https://b.example/1")
    with pytest.raises(HostBusy, match=r"https://www\.a\.example/2: its host has asked to be left alone"):
        rests.check("https://www.a.example/2")
    now[0] = 60.0
    rests.check("https://www.a.example/2")
