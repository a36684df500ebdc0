"""Homes that look alike: class points, tag points and visual similarity, one score."""
