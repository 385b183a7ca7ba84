"""One desk's facts as protocol rows: pure functions, integers in, integers out.

Prices of cards and positions are turned into terms of their outcome here, so that nobody who draws
has to. Anything not known stays ``None``.
"""
