import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieup.articles.signature import BANDS, SKETCH, shingle_hashes, sign

REPORT = (
    "Der Autobauer verhandelt nach Angaben von vier Insidern mit einem chinesischen Konzern über ein gemeinsames Werk. "
    "Beide Seiten wollten sich am Dienstag nicht äußern. Das Gemeinschaftsunternehmen solle Elektroautos für den "
    "amerikanischen Markt bauen, hieß es. Eine Entscheidung werde nicht vor dem Sommer erwartet, die Gespräche "
    "könnten jederzeit scheitern."
)
OTHER = (
    "Der Zulieferer liefert vom kommenden Jahr an Batteriezellen für zwei Baureihen. Der Vertrag läuft über sieben "
    "Jahre und hat nach Angaben beider Unternehmen ein Volumen von zwei Milliarden Euro. Gebaut werden die Zellen in "
    "Ungarn, wo die Fabrik gerade erweitert wird."
)


def shared_bands(left: str, right: str) -> int:
    return len(set(sign(left, "").bands) & set(sign(right, "").bands))


def containment(left: str, right: str) -> float:
    a, b = shingle_hashes(left, ""), shingle_hashes(right, "")
    return len(a & b) / min(len(a), len(b))


def test_the_same_text_has_the_same_signature_for_ever() -> None:
    signature = sign("Ford and Xiaomi deny talks", "A report")
    assert signature.algorithm == "circle-minhash-1"
    assert signature == sign("Ford and Xiaomi deny talks", "A report")
    assert signature.shingles == (
        "1cc7941d4c700815",
        "970d69d0ab7fbf86",
        "bf894b2cf921b32f",
        "de558adda999d421",
        "e6bad070a8158942",
        "f6c1a1a60be7596f",
    )


@pytest.mark.parametrize(
    "copy",
    [
        REPORT.upper(),
        REPORT.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue").replace("ß", "ss"),
        "BERLIN (dpa) - " + REPORT,
        REPORT + " Lesen Sie auch: die zehn schnellsten Autos des Jahres.",
        REPORT[: len(REPORT) // 2],
        REPORT.replace("am Dienstag", "zunächst").replace("hieß es", "sagten sie"),
    ],
    ids=["case", "umlauts", "agency prefix", "boilerplate", "truncated", "rewritten"],
)
def test_a_copy_shares_a_band_and_is_contained(copy: str) -> None:
    assert shared_bands(REPORT, copy) >= 1
    assert containment(REPORT, copy) >= 0.6


def test_another_text_is_not_contained() -> None:
    assert containment(REPORT, OTHER) < 0.2


def test_the_title_counts_only_for_short_texts() -> None:
    assert sign(REPORT, "One headline") == sign(REPORT, "Another headline")
    assert sign("Mehr in Kürze.", "One headline") != sign("Mehr in Kürze.", "Another headline")


def test_scripts_without_spaces_are_cut_into_characters() -> None:
    text = "小米与福特汽车就合资生产电动汽车进行谈判，双方均予以否认，称报道不属实。"
    assert len(shingle_hashes(text, "")) > 20
    assert containment(text, "据报道，" + text[:24]) >= 0.6


def test_no_word_gives_an_empty_signature() -> None:
    assert sign(" … ", "").bands == ()
    assert sign("", "").shingles == ()


def test_one_word_has_a_signature() -> None:
    assert len(sign("", "Ford").shingles) == 1


@given(st.text(max_size=400), st.text(max_size=60))
def test_any_text_can_be_signed(text: str, title: str) -> None:
    signature = sign(text, title)
    assert len(signature.bands) in {0, BANDS}
    assert len(signature.shingles) <= SKETCH
    assert list(signature.shingles) == sorted(set(signature.shingles))


@given(st.text(alphabet=st.characters(), max_size=50))
def test_lone_surrogates_do_not_stop_it(text: str) -> None:
    assert sign(text + "\ud800", "\udfff") == sign(text + "\ud800", "\udfff")
