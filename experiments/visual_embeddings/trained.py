"""What learns from labelled pairs of other homes: an embedding, and several measures combined."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hydra import compose, initialize_config_dir
from numpy.typing import NDArray

from experiments.plan import FOLDER
from seentwice.commands.nets import net_trainer
from seentwice.data.pairs import PairTable
from seentwice.detectors.calibration import CalibratedDetector
from seentwice.detectors.combined import Combination, fit_combination
from seentwice.detectors.descriptor import Rows
from seentwice.detectors.protocol import Evidence
from seentwice.detectors.siamese import SiameseEvidence
from seentwice.detectors.trunk import FEATURES
from seentwice.metrics import average_precision
from seentwice.models.trunk import Trunk

NUMBERS = 256
RATES = (0.00001, 0.0001, 0.001)  # those of experiments/objectives
VALIDATION_HOMES = 2


class TrainedEmbedding:
    """A whitening to 256 numbers, trained by triplets of a batch as experiments/objectives does.

    Of three learning rates the one counts that ranks the pairs of the validating homes best.
    """

    def __init__(self, trunk: Trunk, unlabelled: NDArray[np.float32]) -> None:
        self.trunk = trunk
        self.unlabelled = unlabelled  # (u, d) features that the whitening it starts at learns from
        self._best: SiameseEvidence

    def fit(self, train: PairTable, validation: PairTable, rows: Rows) -> None:
        """Train a net a learning rate, and keep the best."""
        trained = []
        for rate in RATES:
            net = self._train(rate, train, validation, rows)
            ranked = net.of(validation, rows)
            trained.append((average_precision(validation.label, ranked), net))
        self._best = max(trained, key=lambda pair: pair[0])[1]

    def of(self, pairs: PairTable, rows: Rows) -> NDArray[np.float64]:
        """Return the logit (n,), which falls with the distance of the two embeddings."""
        return self._best.of(pairs, rows)

    def _train(
        self, rate: float, train: PairTable, validation: PairTable, rows: Rows
    ) -> SiameseEvidence:
        with initialize_config_dir(str(FOLDER.parent / "configs"), version_base=None):
            words = ["experiment=objectives", "head=triplet", f"tower.embedding_size={NUMBERS}"]
            config = compose("compare", [*words, f"optimizer.lr={rate}", "data.root=none"])
        with TemporaryDirectory() as folder:
            trainer = net_trainer(
                config,
                "triplet",
                self.trunk,
                Path(folder),
                self.unlabelled,
                None,
                None,
                False,
                lambda done, epochs: None,
            )
            evidence = SiameseEvidence(trainer, FEATURES)
            evidence.fit(train, validation, rows)
        return evidence


class CombinedEvidence:
    """The logit of the `combined` detector: members weighed on the pairs of validating homes."""

    def __init__(self, members: Mapping[str, Evidence]) -> None:
        self.members = {name: CalibratedDetector(member) for name, member in members.items()}
        self._combination: Combination

    def fit(self, train: PairTable, validation: PairTable, rows: Rows) -> None:
        """Fit the members, then their weights."""
        for member in self.members.values():
            member.fit(train, validation, rows)
        scores = self._score(validation, rows)
        self._combination = fit_combination(scores, validation.label, VALIDATION_HOMES)

    def of(self, pairs: PairTable, rows: Rows) -> NDArray[np.float64]:
        """Return the logit, (n,)."""
        return self._combination.logits(self._score(pairs, rows))

    def _score(self, pairs: PairTable, rows: Rows) -> NDArray[np.float64]:
        return np.stack([one.score(pairs, rows) for one in self.members.values()], axis=1)
