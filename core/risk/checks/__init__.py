"""The gate's single checks: each looks at one thing and returns a ``Finding`` when it does not hold.

Nothing here decides whether a check applies or what happens to a denial; ``core/risk/gate.py`` holds
that. Inputs named in a check's row of the table are known when it runs.
"""
