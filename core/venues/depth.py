"""How deep JSON is nested, found in a few passes of C: nothing hostile gets near a decoder's stack."""

from __future__ import annotations

from typing import Final

DEPTH_MAX: Final = 32
_OTHER: Final = bytes(sorted(set(range(256)) - set(b'[]{}"')))
"""Everything that neither nests nor begins a text."""
_ONE_KIND: Final = bytes.maketrans(b"{}", b"[]")


def too_deep(data: bytes | bytearray) -> bool:
    """Whether JSON nests deeper than ``DEPTH_MAX``. What is no JSON at all may count as too deep."""
    if data.count(b"[") + data.count(b"{") <= DEPTH_MAX:
        return False
    if b"\\" in data:
        data = bytes(data).replace(b"\\\\", b"").replace(b'\\"', b"")
    # Two quotes side by side cancel out, whether they are a text or the gap between two.
    marks = data.translate(_ONE_KIND, _OTHER).replace(b'""', b"")
    brackets = b"".join(marks.split(b'"')[::2])  # those outside of texts
    for _ in range(DEPTH_MAX):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"")  # the innermost level
    return bool(brackets)
