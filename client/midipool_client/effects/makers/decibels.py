"""Factors as decibels. Pure."""

import math


def db_of(factor: float) -> float:
    """As loud as that."""
    return 20 * math.log10(max(factor, 1e-5))
