"""Finds photos of homes that were seen twice."""
