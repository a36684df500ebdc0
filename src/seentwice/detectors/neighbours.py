"""Which views a trained net takes for near: what hard negatives are mined from."""

import numpy as np
import torch
from numpy.typing import NDArray

from seentwice.index.near import nearest_rows
from seentwice.models.nets import SiameseNet, embed_views


def nearest_views(
    net: SiameseNet, inputs: NDArray[np.generic], members: NDArray[np.int64], k: int
) -> NDArray[np.int64]:
    """Find the nearest members of each member by the Euclidean distance of their embeddings.

    Args:
        net: trained; its head is not used.
        inputs: (v, ...) rows of views, as the net takes them.
        members: (m,) indices into the views.
        k: neighbours a member, itself among them; all m where they are fewer.

    Returns:
        (m, min(k, m)) indices into `members`, nearest first.
    """
    embeddings = embed_views(net, torch.from_numpy(inputs), torch.from_numpy(members)).numpy()
    return nearest_rows(embeddings, embeddings, min(k, len(members)))[1]
