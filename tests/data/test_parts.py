import numpy as np

from seentwice.data.parts import parts_of
from seentwice.data.splits import Split


def make_split(train, validation, test):
    return Split(*(np.array(indices, np.int64) for indices in (train, validation, test)))


def test_the_parts_of_one_split_are_its_own():
    parts = parts_of([make_split([0, 4], [1], [2])], 5)
    assert parts.names == ("train", "validation", "test")
    assert parts.number.tolist() == [0, 1, 2, -1, 0]


def test_the_parts_of_folds_are_what_each_tests():
    folds = [make_split([2], [1], [0]), make_split([0], [2], [1]), make_split([1], [0], [2])]
    parts = parts_of(folds, 3)
    assert parts.names == ("fold 1", "fold 2", "fold 3")
    assert parts.number.tolist() == [0, 1, 2]
