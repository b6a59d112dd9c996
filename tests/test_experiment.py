"""The Experiment: same question, same fingerprint; a wrong question gets an answer in words."""

from __future__ import annotations

import pytest

from transfer import Experiment, catalog
from transfer.errors import ImpossibleExperiment, RequestError, UnknownKey


def test_equal_experiments_have_one_fingerprint_and_any_change_alters_it() -> None:
    one = Experiment(target="optdigits", seed=3)
    assert one.fingerprint == Experiment(seed=3, target="optdigits").fingerprint
    assert Experiment(**one.model_dump()) == one
    others = [one.but(seed=4), one.but(epochs=7), one.but(options={"probe_share": 0.5}), one.but(augment=True)]
    assert len({one.fingerprint, *(other.fingerprint for other in others)}) == 5


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"epoch": 3}, "Did you mean 'epochs'"),
        ({"epochs": 0}, "greater than or equal to 1"),
        ({"optimizer": "adm"}, "'adam'"),
        ({"label_smoothing": 1.0}, "less than 1"),
        ({"seed": -1}, "greater than or equal to 0"),
        ({"learning_rate": float("nan")}, "learning_rate"),
    ],
)
def test_a_value_out_of_its_limits_is_refused_in_words(wrong: dict, words: str) -> None:
    with pytest.raises(RequestError, match=words):
        Experiment(**wrong)


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ({"target": "optdigit"}, UnknownKey, "Did you mean 'optdigits'"),
        ({"backbone": "efficientnet_lite"}, UnknownKey, "Did you mean 'efficientnet_lite0'"),
        ({"strategy": "fine_tune", "source": "mnist_5k"}, UnknownKey, "Did you mean 'fine_tuning'"),
        ({"source": "optdigits"}, ImpossibleExperiment, "same data set"),
        ({"strategy": "feature_extraction"}, ImpossibleExperiment, "not pretrained"),
        ({"source": "mnist_5k", "options": {"prob_share": 0.1}}, RequestError, "Did you mean 'probe_share'"),
        ({"source": "mnist_5k", "options": {"fine_rate": 2}}, RequestError, "less than or equal to 1"),
        ({"backbone": "efficientnet_lite0", "image_size": 16}, ImpossibleExperiment, "at least 32 pixels"),
    ],
)
def test_choices_that_do_not_go_together_are_refused_before_anything_is_read(
    wrong: dict, error: type[RequestError], words: str
) -> None:
    with pytest.raises(error, match=words):
        catalog.check(Experiment(**wrong))


def test_the_budget_depends_on_the_number_of_pictures_alone() -> None:
    assert Experiment().epochs_for(10) == 100
    assert Experiment().epochs_for(0) == 100, "without labels an epoch still has a step"
    assert Experiment().epochs_for(1000) == 20
    assert Experiment(epochs=3).epochs_for(10) == 3
