import warnings

import numpy as np
import pytest
import torch

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("imagededup", reason="needs imagededup: pip install imagededup")
    from imagededup.methods import CNN, PHash
    from imagededup.utils import CustomModel

from imagededup_pairs import find_duplicates, list_near_hashes, list_near_rows


def list_once(found):
    return {tuple(sorted((int(one), int(other)))) for one in found for other in found[one]}


def list_pairs(near):
    return set(zip(near.left.tolist(), near.right.tolist(), strict=True))


@pytest.mark.parametrize("bits", [0, 10, 20])
def test_near_hashes_are_what_find_duplicates_lists(bits):
    generator = np.random.default_rng(0)
    hashes = generator.integers(0, 2**64, 60, dtype=np.uint64)
    for photo in range(0, 60, 2):
        turned = generator.choice(64, photo // 2, replace=False)
        flips = np.bitwise_or.reduce(np.uint64(1) << turned.astype(np.uint64))
        hashes[photo + 1] = hashes[photo] ^ flips
    encodings = {str(n): f"{word:016x}" for n, word in enumerate(hashes.tolist())}

    near = list_near_hashes(hashes, bits)

    assert list_pairs(near) == list_once(find_duplicates(PHash(verbose=False), encodings, bits, 1))
    assert near.values.max() <= bits


def test_near_rows_are_what_find_duplicates_lists():
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(40, 16)).astype(np.float32)
    rows[20:] = rows[:20] + 0.4 * generator.normal(size=(20, 16))
    cnn = CNN(verbose=False, model_config=CustomModel("none", torch.nn.Identity(), torch.tensor))

    near = list_near_rows(rows, 0.9)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that encodings are given, which is meant
        found = cnn.find_duplicates(
            encoding_map={str(n): row for n, row in enumerate(rows)}, num_sim_workers=1
        )
    assert list_pairs(near) == list_once(found)
    assert len(list_pairs(near)) > 5
