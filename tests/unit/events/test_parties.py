from tieup.companies.gazetteer import load_gazetteer
from tieup.events.parties import event_parties
from tieup.model.labels import Role
from tieup.model.story import EventParty, StoryParty


def test_what_the_gazetteer_knows_is_added() -> None:
    gazetteer = load_gazetteer()
    ford, audi, unknown, lost = event_parties(
        (
            StoryParty("ford", "Ford", "ford", Role.INVESTOR, "ford"),
            StoryParty("audi", "Audi", "audi", None, "volkswagen"),
            StoryParty("argo", "Argo", None, None, "argo"),
            StoryParty("gone", "Gone", "no-such-id", None, "gone"),
        ),
        gazetteer,
    )
    company = gazetteer.get("ford")
    assert (ford.name, ford.role, ford.country) == (company.name, Role.INVESTOR, company.country)
    assert (ford.wikidata, ford.ticker, ford.lei) == (company.wikidata, company.ticker, company.lei)
    assert ford.ultimate_parent is None
    assert audi.ultimate_parent == gazetteer.ultimate_parent("audi") != "audi"
    assert unknown == EventParty("Argo")
    assert lost == EventParty("Gone")
