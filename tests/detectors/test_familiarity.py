import numpy as np
import pytest

from seentwice.detectors.familiarity import measure_familiarity


def unit(generator, shape):
    rows = generator.normal(size=shape).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("neighbours", [1, 3, 7])
def test_familiarity_is_the_mean_cosine_with_the_nearest(neighbours):
    generator = np.random.default_rng(0)
    embeddings, background = unit(generator, (5, 4)), unit(generator, (7, 4))

    familiarity = measure_familiarity(embeddings, background, neighbours)

    slow = [
        np.mean(sorted((float(own @ other) for other in background), reverse=True)[:neighbours])
        for own in embeddings
    ]
    assert familiarity == pytest.approx(slow, abs=1e-6)


def test_a_background_holds_as_many_rows_as_neighbours():
    rows = unit(np.random.default_rng(0), (2, 4))

    with pytest.raises(ValueError, match="k=3: choose 1 to 2"):
        measure_familiarity(rows, rows, 3)
