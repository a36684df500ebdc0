"""Options that say which photos are copies, of the commands that look for them."""

from argparse import _ActionsContainer

from seentwice.commands.options import read_share, whole_number
from seentwice.hamming import MOST_BITS

HASH_BITS = 10
LEAST_SCORE = 0.5


def add_matching_options(parser: _ActionsContainer) -> None:
    """Add --bits, --least-score and --upright to a parser or a group of its options.

    What is not given is None, so that a command may refuse what would have no effect; then
    `HASH_BITS` and `LEAST_SCORE` hold.
    """
    parser.add_argument(
        "--bits",
        type=whole_number(0, MOST_BITS),
        help=f"hashes this far apart are compared further, 0 to {MOST_BITS} (default: {HASH_BITS})",
    )
    parser.add_argument(
        "--least-score",
        type=read_share,
        metavar="P",
        help=f"probability that two photos are copies (default: {LEAST_SCORE})",
    )
    parser.add_argument(
        "--upright", action="store_true", help="mirrored and turned photos are no copies"
    )
