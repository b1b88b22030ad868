import pytest

from tieup.articles.language import detect_language, language_code


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Ford und Xiaomi sprechen über ein Gemeinschaftsunternehmen", "de"),
        ("Ford and Xiaomi discuss a joint venture for electric cars", "en"),
        ("Renault et Geely créent une coentreprise pour les moteurs", "fr"),
        ("La casa automobilistica ha firmato un accordo con il fornitore cinese", "it"),
        ("Seat y Volkswagen negocian una alianza para baterías", "es"),
        ("小米汽车与福特讨论成立合资公司", "zh"),
        ("トヨタとソニーが電気自動車で提携する", "ja"),
        ("현대차와 기아가 배터리 합작사를 설립한다", "ko"),
    ],
)
def test_a_clear_text_counts_against_the_hint(text: str, language: str) -> None:
    assert detect_language(text, hint="en" if language != "en" else "de") == language


def test_names_alone_take_the_feeds_word() -> None:
    assert detect_language("Ford-Xiaomi", hint="de-DE") == "de"
    assert detect_language("Ford-Xiaomi") is None


def test_a_ninth_language_is_undecided_whatever_the_hint() -> None:
    assert detect_language("Volvo och Geely inleder ett samarbete om elbilar i Göteborg", hint="en") is None


def test_surrogates_and_nothing_are_survived() -> None:
    assert detect_language("\ud800\x00", hint=None) is None
    assert detect_language("", hint="xx") is None


@pytest.mark.parametrize(("tag", "code"), [("de-DE", "de"), ("EN_us", "en"), ("sv", None), (None, None), ("", None)])
def test_language_code(tag: str | None, code: str | None) -> None:
    assert language_code(tag) == code
