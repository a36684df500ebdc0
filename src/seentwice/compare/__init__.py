"""Detectors side by side on the same pairs, with intervals and a report."""
