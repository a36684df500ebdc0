"""Duplicates that are moved out of the way, and back: planned, journalled, never overwriting."""
