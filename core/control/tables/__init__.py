"""The rows a desk is shown as: what stands in the tables of a ``Frame`` and in the answer to a query.

Rows are arrays on the wire: positions are the format, so a field is added at the end or the version is
raised. Prices are ten-thousandths of a dollar, quantities millionths of a contract, money millionths of a
dollar (``core/domain/units.py``). ``_ns`` is the machine's clock that only goes forward (``machine_ns``),
which both sides share; ``wall_ms`` is real, ``world_ms`` is world time, both Unix milliseconds. Ages are
computed by whoever draws, so a quiet desk sends nothing.
"""
