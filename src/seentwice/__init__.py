"""Finds photos of homes that were seen twice."""

__version__ = "0.1.0"
