"""Who is who in a deal, where the text shows it."""

from collections.abc import Callable

import pytest

from tieup.model.relation import Relation

Read = Callable[..., list[Relation]]


@pytest.mark.parametrize(
    ("text", "language", "roles"),
    [
        ("CATL supplies batteries to Ford under a supply contract.", "en", {"CATL": "supplier", "Ford": "customer"}),
        ("Ford buys battery cells from CATL.", "en", {"CATL": "supplier", "Ford": "customer"}),
        ("Volkswagen acquires a 5% stake in Xpeng.", "en", {"Volkswagen": "investor", "Xpeng": "target"}),
        ("Foxconn acquires Nissan.", "en", {"Foxconn": "acquirer", "Nissan": "target"}),
        ("Magna builds the cars for Xpeng in Graz.", "en", {"Magna": "builder", "Xpeng": "brand"}),
        ("CATL liefert Batterien an BMW.", "de", {"CATL": "supplier", "BMW": "customer"}),
        ("Ford and Xiaomi form a joint venture.", "en", {"Ford": None, "Xiaomi": None}),
        (
            "Lucid and Nuro formed a partnership. Lucid supplies the cars, Nuro the driving system.",
            "en",
            {"Lucid": None, "Nuro": None},
        ),
        ("Geely buys a plant of Ford.", "en", {"Geely": "acquirer", "Ford": None}),
        ("Ford signed a supply contract with CATL.", "en", {"Ford": None, "CATL": None}),
    ],
)
def test_the_roles_of_a_text(read: Read, text: str, language: str, roles: dict[str, str | None]) -> None:
    relations = read("", text, language)
    assert len(relations) == 1
    found = {one.name: one.role.value if one.role else None for one in relations[0].parties}
    assert found == roles
