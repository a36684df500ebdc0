"""Options that say which photos are copies, of the commands that look for them."""

from argparse import _ActionsContainer

from seentwice.commands.options import read_share, whole_number
from seentwice.hamming import MOST_BITS


def add_matching_options(parser: _ActionsContainer) -> None:
    """Add --bits, --least-score and --upright to a parser or a group of its options."""
    parser.add_argument(
        "--bits",
        type=whole_number(0, MOST_BITS),
        default=10,
        help=f"hashes this far apart are compared further, 0 to {MOST_BITS} (default: 10)",
    )
    parser.add_argument(
        "--least-score",
        type=read_share,
        default=0.5,
        metavar="P",
        help="probability that two photos are copies (default: 0.5)",
    )
    parser.add_argument(
        "--upright", action="store_true", help="mirrored and turned photos are no copies"
    )
