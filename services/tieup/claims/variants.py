"""Brings together the relations of one group's companies that are the same agreement ("BAIC, via BluePark")."""

from collections.abc import Sequence
from dataclasses import replace

from tieup.claims.parties import is_ancestor
from tieup.companies.gazetteer import Gazetteer
from tieup.model.labels import Focus, Kind
from tieup.model.relation import Relation

Together = frozenset[frozenset[str]]


def merge_variants(relations: Sequence[Relation], gazetteer: Gazetteer, together: Together) -> tuple[Relation, ...]:
    """Return the relations, those of a daughter taken into the same agreement of its parent as `via`.

    Not so where daughter and parent are named side by side (`together`): then each speaks for itself.
    """
    kept: list[Relation] = []
    for relation in relations:
        parent = next((one for one in relations if _is_variant(relation, one, gazetteer, together)), None)
        if parent is None:
            kept.append(relation)
    return tuple(_with_via(one, relations, gazetteer, together) for one in kept)


def _with_via(relation: Relation, relations: Sequence[Relation], gazetteer: Gazetteer, together: Together) -> Relation:
    variants = [one for one in relations if _is_variant(one, relation, gazetteer, together)]
    own = {party.id for party in relation.parties}
    via = [party.name for one in variants for party in one.parties if party.id not in own]
    if not via:
        return relation
    kind = min((one.kind for one in (relation, *variants)), key=list(Kind).index)
    return replace(relation, kind=kind, via=tuple(dict.fromkeys(via)))


def _is_variant(daughter: Relation, parent: Relation, gazetteer: Gazetteer, together: Together) -> bool:
    """Say whether one relation is another with a daughter in the parent's place."""
    if daughter is parent or len(daughter.parties) != len(parent.parties) or not _alike(daughter, parent):
        return False
    below = [one.id for one in daughter.parties if one.id not in {party.id for party in parent.parties}]
    above = [one.id for one in parent.parties if one.id not in {party.id for party in daughter.parties}]
    if len(below) != 1 or below[0] is None or above[0] is None:
        return False
    if frozenset((above[0], below[0])) in together:
        return False
    return is_ancestor(gazetteer, above[0], below[0])


def _alike(one: Relation, other: Relation) -> bool:
    """Say whether two relations can be the same agreement: one kind, or one of them left open, at the same stage."""
    same = one.kind is other.kind or (Kind.ALLIANCE in {one.kind, other.kind} and one.focus is Focus.NEWS)
    return same and one.stage is other.stage and one.focus is other.focus
