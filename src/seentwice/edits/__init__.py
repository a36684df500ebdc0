"""Seeded edits of photos, each written as one line of text that alone decides the pixels.

The copies are those of the MLS study (slides on a Siamese VGG-16 in BigDL: a watermark at a
random place, a crop of 85-95 %, a rotation by a random angle), the mirroring of SameSpace, and what
else photos of homes go through on the web.
"""

from seentwice.edits.protocol import Edit
from seentwice.edits.strengths import STRENGTHS, expand_strengths
from seentwice.edits.text import EDITS, apply_edit, draw_edits, parse_edit, sizes_of

__all__ = [
    "EDITS",
    "STRENGTHS",
    "Edit",
    "apply_edit",
    "draw_edits",
    "expand_strengths",
    "parse_edit",
    "sizes_of",
]
