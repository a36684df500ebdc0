"""Duplicate photos of a whole catalogue: found, verified, grouped, reported, and moved if asked."""
