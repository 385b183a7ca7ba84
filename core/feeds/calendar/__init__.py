"""The economic calendar: when releases that move markets are due, from their publishers or the operator.

``kinds`` says what a release is called and when it usually comes, ``ics`` and ``table`` read the two file
formats, ``bls``, ``fred_dates`` and ``files`` are the sources, ``merging`` makes one schedule of all. No
date is known by heart: each comes from a source that says when it was made.
"""
