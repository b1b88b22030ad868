"""Articles at random, for properties."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st
from tests.unit.stories.making import START, article, claim, denies, relation

from tieup.model.labels import Basis, Factuality, Focus, Kind, Milestone, Stage

names = st.sampled_from(
    [("Ford", "Xiaomi"), ("Xiaomi", "Ford"), ("Ford", "BYD"), ("Audi", "FAW"), ("Volkswagen", "FAW")]
)
relations = st.builds(
    lambda parties, kind, stage, factuality, focus, spoken, origin: relation(
        *parties,
        kind=kind,
        stage=stage,
        factuality=factuality,
        basis=Basis.ANONYMOUS if factuality is Factuality.REPORTED else Basis.PARTY,
        focus=focus,
        claims=spoken,
        origin=origin,
    ),
    names,
    st.sampled_from([Kind.JOINT_VENTURE, Kind.SUPPLY, Kind.ALLIANCE]),
    st.sampled_from(Stage),
    st.sampled_from(Factuality),
    st.sampled_from([Focus.NEWS, Focus.NEWS, Focus.BACKGROUND]),
    st.sampled_from([(), (denies("Ford"),), (claim("anonymous"),), (claim("Xiaomi"),)]),
    st.sampled_from(["unknown", "Reuters", "Caixin"]),
)
sagas = st.lists(
    st.builds(
        lambda name, version, found, day: replace(
            article(name, *found, day=day), version=version, observed_at=START + timedelta(days=500)
        ),
        st.sampled_from(["a", "b", "c", "d", "e"]),
        st.integers(1, 3),
        st.lists(relations, max_size=3),
        st.sampled_from([0, 1, 2, 40, 200, 450]),
    ),
    min_size=1,
    max_size=8,
)
"""Articles of up to five companies and names, some in newer versions, over more than a year, as they may come."""

WIRES = [" ".join(f"wire{wire} word{at}" for at in range(60)) for wire in range(2)]
deals = st.lists(
    st.builds(
        lambda day, stage, sure, spoken, origin, milestones, wire: (
            day,
            relation(
                "Ford",
                "Xiaomi",
                stage=stage,
                factuality=sure[0],
                basis=sure[1],
                claims=spoken,
                origin=origin,
                milestones=milestones,
            ),
            {} if wire is None else {"text": WIRES[wire]},
        ),
        st.integers(0, 20),
        st.sampled_from(Stage),
        st.sampled_from(
            [
                (Factuality.REPORTED, Basis.MEDIUM),
                (Factuality.CONFIRMED, Basis.PARTY),
                (Factuality.CONFIRMED, Basis.NARRATION),
                (Factuality.DENIED, Basis.PARTY),
            ]
        ),
        st.sampled_from([(), (denies("Ford"),), (claim("anonymous"),), (claim("Xiaomi"), denies("Ford"))]),
        st.sampled_from(["unknown", "Reuters", "Caixin", "Bloomberg"]),
        st.sampled_from([(), (Milestone.MOU,), (Milestone.CLOSED,)]),
        st.sampled_from([None, None, 0, 1]),
    ),
    min_size=2,
    max_size=7,
).map(lambda told: [article(f"a{at}", said, day=day, **text) for at, (day, said, text) in enumerate(told)])
"""Articles of one deal within three weeks, some of them copies of one another."""
