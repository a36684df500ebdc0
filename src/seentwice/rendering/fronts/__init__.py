"""Draws house fronts of a style and a number of storeys, and photographs them from the street.

The rules of `seentwice.rendering` hold: numpy only, the same pixels on every machine. A front is a
list of flat panels painted back to front, x to the right, y away from the street, z up, in metres;
its main wall stands at y = 0.
"""
