import numpy as np
import torch
from torch import nn

from seentwice.data.pairs import PairTable
from seentwice.detectors.siamese import SiameseEvidence
from seentwice.models.heads import build_head
from seentwice.models.nets import SiameseNet
from seentwice.models.towers import build_tower


def table(seed, count=30):
    left, right = np.random.default_rng(seed).integers(12, size=(2, count))
    return PairTable((), left, right, left == right, np.zeros(count, np.int8))


def test_the_net_is_head_on_its_own_rows_and_gives_its_logits():
    torch.manual_seed(0)
    net = SiameseNet(
        build_tower("linear", 6, 4, {}), build_head("concat", 4, {}), nn.Sequential(), None
    )
    asked = []

    def train_net(train, validation, inputs):
        asked.append((train, validation, inputs))
        return net.train()

    rows = {
        "trunk": np.random.default_rng(0).normal(size=(12, 6)).astype(np.float32),
        "hashes": np.zeros((12, 4), np.uint64),
    }
    train, validation, test = table(0), table(1), table(2)
    evidence = SiameseEvidence(train_net, "trunk")
    evidence.fit(train, validation, rows)
    assert len(asked) == 1
    assert asked[0][:2] == (train, validation)
    assert asked[0][2] is rows["trunk"]

    logits = evidence.of(test, rows)
    assert (logits.shape, logits.dtype) == ((30,), np.float64)
    net.eval()
    with torch.no_grad():
        embeddings = net.embed(torch.from_numpy(rows["trunk"]))
        for number, (left, right) in enumerate(zip(test.left, test.right, strict=True)):
            alone = net.head(embeddings[left][None], embeddings[right][None])
            assert abs(float(alone) - logits[number]) < 1e-5
    np.testing.assert_array_equal(evidence.of(test, rows), logits)  # no dropout
