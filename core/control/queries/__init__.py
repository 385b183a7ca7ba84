"""What the verbs with ``--json`` answer of a desk, and what the console asks for besides, field by field.

One table a query: name, meaning, and where the value comes from. The same table makes the JSON and
its documentation. Prices, quantities and money are decimal strings of dollars and contracts, times
are RFC 3339 in UTC, ages and waits are seconds, and what is not known is ``null``.
"""
