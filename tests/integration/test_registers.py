"""Asking public registers over HTTP: a loopback server plays them, in the shapes that they document."""

import tomllib
from pathlib import Path

import orjson
import pytest
from tests.feed_server import Answer, feed_server
from tests.unit.companies.test_registers import LEI, lei_record, sparql

from tieup.cli.app import run
from tieup.errors import FetchError
from tieup.outside.registers import MAX_BYTES, REST_S, Registers

JSON = (("Content-Type", "application/json"),)


async def _no_rest(_seconds: float) -> None:
    return None


def _registers(rests: list[float] | None = None) -> Registers:
    async def rest(seconds: float) -> None:
        if rests is not None:
            rests.append(seconds)

    return Registers("tieup/test (+mailto:ops@example.org)", allow_private=True, rest=rest)


async def test_says_who_asks_and_rests_between_requests() -> None:
    rests: list[float] = []
    async with feed_server({"/a": Answer(b"1", headers=JSON), "/b": Answer(b"2", headers=JSON)}) as server:
        registers = _registers(rests)
        assert [await registers.get(server.url(path)) for path in ("/a", "/b", "/a")] == [b"1", b"2", b"1"]
        await registers.close()
    assert rests == [REST_S, REST_S]
    assert {one.headers["user-agent"] for one in server.seen} == {"tieup/test (+mailto:ops@example.org)"}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(b"slow down", 429, (("Retry-After", "60"),)), "answered 429; it wants to be asked again in 60 s"),
        (Answer(b"", 503), "answered 503"),
        (Answer(b"", 302, (("Location", "http://elsewhere.test/"),)), "answered 302"),
        (Answer(b"x" * 1_000_000, repeat=MAX_BYTES // 1_000_000 + 1), "an answer of more than"),
    ],
)
async def test_any_other_answer_is_a_fetch_error(answer: Answer, said: str) -> None:
    async with feed_server({"/a": answer}) as server:
        registers = _registers()
        with pytest.raises(FetchError, match=said):
            await registers.get(server.url("/a"))
        await registers.close()


async def test_private_addresses_are_not_asked() -> None:
    async with feed_server({"/a": Answer(b"1")}) as server:
        registers = Registers("tieup/test", rest=_no_rest)
        with pytest.raises(FetchError, match="not asked"):
            await registers.get(server.url("/a"))
        await registers.close()
    assert server.seen == []


def test_the_command_writes_a_file_to_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import asyncio
    import threading

    monkeypatch.chdir(tmp_path)
    item = "http://www.wikidata.org/entity/Q44294"
    started, done = threading.Event(), threading.Event()
    place: list[int] = []

    async def serve() -> None:
        def answer(seen: object) -> Answer:
            path = str(getattr(seen, "path", ""))
            if path.startswith("/sparql"):
                return Answer(sparql({"item": item, "lei": LEI}), headers=JSON)
            return Answer(orjson.dumps({"data": [lei_record()]}), headers=JSON)

        async with feed_server() as server:
            server.pages = _Everything(answer)  # type: ignore[assignment]
            place.append(server.port)
            started.set()
            await asyncio.to_thread(done.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert started.wait(10)
        base = f"http://127.0.0.1:{place[0]}"
        flags = ["--wikidata", f"{base}/sparql", "--gleif", f"{base}/lei"]
        arguments = ["--set", "feeds.allow_private=true", "companies", "refresh", "Jim Farley", *flags]
        assert run(arguments) == 0
        assert tomllib.loads(Path("companies-proposed.toml").read_text("utf-8"))["ford"] == {"lei": LEI}
        assert run(arguments) == 2
        assert "is there already" in capsys.readouterr().err
    finally:
        done.set()
        thread.join()


class _Everything(dict[str, object]):
    """Gives one answer to every path."""

    def __init__(self, answer: object) -> None:
        super().__init__()
        self._answer = answer

    def get(self, _path: object, _default: object = None) -> object:
        return self._answer
