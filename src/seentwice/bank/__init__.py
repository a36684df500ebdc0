"""The feature bank: rows that were computed once, kept on disk for every later run."""
