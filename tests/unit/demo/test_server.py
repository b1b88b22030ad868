"""The demo's server: conditional, one port for all hosts, a fixed clock, and clean when it ends."""

import httpx
import pytest
from protego import Protego

from tieup.demo.sample import Sample, load_sample
from tieup.demo.server import DemoServer, Served, answer, etag_of


@pytest.fixture(scope="module")
def sample() -> Sample:
    return load_sample()


@pytest.mark.parametrize("match", ["{}", "W/{}", '"other", {}'])
def test_a_body_already_held_is_not_sent_again(sample: Sample, match: str) -> None:
    feed = sample.feeds[0]
    found = answer({(feed.host, feed.path): feed}, 0, feed.host, feed.path, match.format(etag_of(feed.bodies[0])))
    assert (found.status, found.body) == (304, b"")
    assert ("ETag", etag_of(feed.bodies[0])) in found.headers


def test_a_changed_body_is_sent_whole(sample: Sample) -> None:
    feed = sample.feeds[0]
    found = answer({(feed.host, feed.path): feed}, 1, feed.host, feed.path, etag_of(feed.bodies[0]))
    assert (found.status, found.body) == (200, feed.bodies[1])


def test_two_polls_over_loopback(sample: Sample) -> None:
    with DemoServer(sample) as server, httpx.Client(trust_env=False) as client:
        first = {}
        for feed in sample.feeds:
            response = client.get(server.url + feed.path, headers={"Host": feed.host})
            assert response.status_code == 200
            assert response.content == feed.bodies[0]
            assert response.headers["Content-Type"] == feed.content_type
            assert response.headers["Date"] == "Sun, 01 Feb 2026 06:00:00 GMT"
            first[feed.host] = response.headers["ETag"]
        server.show(2)
        statuses = []
        for feed in sample.feeds:
            headers = {"Host": feed.host, "If-None-Match": first[feed.host]}
            response = client.get(server.url + feed.path, headers=headers)
            assert response.headers["Date"] == "Mon, 02 Feb 2026 18:00:00 GMT"
            statuses.append(response.status_code)
        assert sorted(statuses) == [200] * 6 + [304] * 2
        assert len(server.served) == 16
        assert server.served[0] == Served(sample.feeds[0].host, sample.feeds[0].path, 200)


def test_as_a_proxy_the_fixed_names_need_no_dns(sample: Sample) -> None:
    with DemoServer(sample) as server, httpx.Client(proxy=server.url, trust_env=False) as client:
        assert client.get(sample.feeds[1].url).content == sample.feeds[1].bodies[0]


def test_an_unknown_address_is_404(sample: Sample) -> None:
    with DemoServer(sample) as server:
        assert httpx.get(server.url + "/favicon.ico", trust_env=False).status_code == 404


def test_robots_txt_keeps_readers_to_the_feeds(sample: Sample) -> None:
    """Articles have no pages of their own here; asking for them would only show errors."""
    feed = sample.feeds[0]
    with DemoServer(sample) as server:
        rules = httpx.get(server.url + "/robots.txt", headers={"Host": feed.host}, trust_env=False)
        assert server.served == ()
    said = Protego.parse(rules.text)
    assert said.can_fetch(feed.url, "tieup")
    assert not said.can_fetch(f"http://{feed.host}/2026/02/lei-jun", "tieup")


def test_only_the_polls_of_the_sample_can_be_shown(sample: Sample) -> None:
    with pytest.raises(ValueError, match="polls 1 to 2"):
        DemoServer(sample).show(3)


def test_it_is_gone_when_its_context_ends(sample: Sample) -> None:
    with DemoServer(sample) as server:
        url = server.url
    with pytest.raises(RuntimeError):
        _ = server.port
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, trust_env=False)
