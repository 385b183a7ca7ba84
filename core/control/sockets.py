"""Unix sockets of the desk's processes: private from birth, and only for the same user."""

from __future__ import annotations

import os
import socket
import stat
import struct
from pathlib import Path

from core.config.paths import make_private


class SocketError(Exception):
    """A socket cannot be opened; the text is the sentence for the operator."""


def bind(path: Path) -> socket.socket:
    """A listening socket at ``path``, 0600 from birth in a 0700 directory; raises ``SocketError``.

    Call it only while holding the profile's lock: a socket file found there belongs to nobody.
    """
    make_private(path.parent)
    try:
        if stat.S_ISSOCK(path.lstat().st_mode):
            path.unlink()
    except FileNotFoundError:
        pass  # the usual case
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    mask = os.umask(0o177)
    try:
        sock.bind(str(path))
        sock.listen(16)
    except OSError as error:
        sock.close()
        raise SocketError(f"cannot listen at {path}: {error.strerror}; move that file away") from error
    finally:
        os.umask(mask)
    sock.setblocking(False)
    return sock


def peer_of(connected: socket.socket) -> tuple[int, int]:
    """Process and user at the other end, by the kernel's word."""
    credentials = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid, uid, _ = struct.unpack("3i", credentials)
    return pid, uid
