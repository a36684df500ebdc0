"""Draws rooms and photographs them: numpy only, the same pixels on every machine.

Processors differ in the last bits of sin, exp, pow and log, and in the order in which they sum
floats (dot, matmul, sum, mean). So arrays here only meet operations that IEEE 754 fixes to the
last bit: + - * / sqrt, floor, comparisons, minimum, maximum, where; and integer arithmetic.
Rotations come from normalised vectors, curves from polynomials, randomness from
`Generator(PCG64).random` and `.integers`.
"""
