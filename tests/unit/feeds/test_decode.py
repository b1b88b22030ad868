import gzip
import zlib
from collections.abc import Callable
from contextlib import suppress

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from tieup.errors import FetchError
from tieup.feeds.reading.decode import Body, decoder_for

ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
    "": bytes,
}


@given(st.sampled_from(sorted(ENCODERS)), st.binary(max_size=3_000), st.integers(1, 500))
def test_however_it_is_cut_it_decodes_the_same(name: str, data: bytes, step: int) -> None:
    body = Body(10_000)
    decoder = decoder_for(name, body)
    coded = ENCODERS[name](data)
    for start in range(0, len(coded), step):
        decoder.feed(coded[start : start + step])
    decoder.finish()
    assert body.content() == data


@given(st.sampled_from(sorted(ENCODERS)), st.binary(max_size=200))
def test_rubbish_is_a_fetch_error_or_a_body(name: str, data: bytes) -> None:
    decoder = decoder_for(name, Body(10_000))
    with suppress(FetchError):
        decoder.feed(data)
        decoder.finish()


@pytest.mark.parametrize("name", sorted(ENCODERS))
def test_one_byte_too_many_is_refused(name: str) -> None:
    exact, over = Body(1_000), Body(999)
    coded = ENCODERS[name](bytes(1_000))
    decoder_for(name, exact).feed(coded)
    assert len(exact.content()) == 1_000
    with pytest.raises(FetchError, match="larger than 999 bytes"):
        decoder_for(name, over).feed(coded)


def test_padding_after_gzip_is_passed_over() -> None:
    body = Body(100)
    decoder = decoder_for("gzip", body)
    decoder.feed(gzip.compress(b"a") + gzip.compress(b"b") + bytes(20))
    decoder.finish()
    assert body.content() == b"ab"


@pytest.mark.parametrize("name", sorted(ENCODERS))
def test_what_may_be_cut_has_its_start_when_it_outgrows_its_bound(name: str) -> None:
    body = Body(1_000, cut=True)
    decoder = decoder_for(name, body)
    decoder.feed(ENCODERS[name](b"a" * 1_000))
    assert body.full
    with pytest.raises(FetchError):
        decoder_for(name, body).feed(ENCODERS[name](b"b" * 300_000))
    assert body.content() == b"a" * 1_000
