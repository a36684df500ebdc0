"""Hamming distances of 64-bit hashes, and every pair of hashes that are near each other."""

from seentwice.hamming.distances import NearPairs, hamming_bits
from seentwice.hamming.every_pair import iterate_near_pairs
from seentwice.hamming.near_items import NearItems, find_near_items
from seentwice.hamming.near_pairs import MOST_BITS, find_near_pairs, group_equal
from seentwice.hamming.queries import NearQueries, find_near_hashes, find_near_queries

__all__ = [
    "MOST_BITS",
    "NearItems",
    "NearPairs",
    "NearQueries",
    "find_near_hashes",
    "find_near_items",
    "find_near_pairs",
    "find_near_queries",
    "group_equal",
    "hamming_bits",
    "iterate_near_pairs",
]
