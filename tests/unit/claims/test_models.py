"""The models of the package: there, whole, and fitted to the labels that are there."""

import pytest
from tests.benchmarks import made_from

from tieup.claims.models import load_models


def test_the_package_holds_a_model_for_each_judgement() -> None:
    models = load_models()
    assert all(one.weights for one in (models.tie, models.kind, models.stage, models.factuality))
    assert all(one.text.shape == one.headline.shape == (512,) for one in (models.statement, models.article))
    assert models.relation.trees
    assert {"meaning", "best"} <= set(models.relation.features)


def test_every_branch_of_a_tree_leads_on_to_a_leaf() -> None:
    for tree in load_models().relation.trees:
        for at, node in enumerate(tree):
            leaf = node.feature < 0
            assert leaf or (at < node.low < len(tree) and at < node.high < len(tree))
            assert leaf or node.feature < len(load_models().relation.features)


@pytest.mark.parametrize("name", made_from.OUTPUTS)
def test_weights_and_confidences_are_fitted_to_the_labels_that_are_there(name: str) -> None:
    assert made_from.told(name)[0] == made_from.labels(), "the labels have changed: run `make fit`"
