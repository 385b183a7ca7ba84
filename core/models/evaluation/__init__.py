"""Scoring models on anybody's past days: one module a task (``weather``, ``market``, ``range``), each with
``score(directory, counted)``.

``files`` and the ``*_files`` modules read a data set, ``walk`` goes through its days so that each is
predicted with what was known then, ``*_laws`` and ``*_series`` hold what every model says, ``rows`` is the
report.
"""
