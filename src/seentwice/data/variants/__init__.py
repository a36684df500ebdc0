"""Photos with their edited copies as files, and pairs of them with the duplicate flag.

The preparation of the MLS study (slides on a Siamese VGG-16 in BigDL): N unique photos, of each a
watermarked, a cropped and a rotated copy, and a table of pairs.
"""
