"""Keeps tests on this machine: a socket to anywhere but loopback fails at once."""

import ipaddress
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class BlockedSocket(RuntimeError):
    """A test tried to leave the machine."""


def _allowed(address: Any) -> bool:
    if not isinstance(address, tuple):
        return True  # a Unix socket's path
    host = str(address[0])
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@contextmanager
def loopback_only() -> Iterator[None]:
    """Refuses connections to any other address for the length of the block."""
    real_connect, real_connect_ex = socket.socket.connect, socket.socket.connect_ex

    def connect(self: socket.socket, address: Any) -> None:
        if not _allowed(address):
            raise BlockedSocket(f"tests may not connect to {address!r}")
        real_connect(self, address)

    def connect_ex(self: socket.socket, address: Any) -> int:
        if not _allowed(address):
            raise BlockedSocket(f"tests may not connect to {address!r}")
        return real_connect_ex(self, address)

    _replace(connect=connect, connect_ex=connect_ex)
    try:
        yield
    finally:
        _replace(connect=real_connect, connect_ex=real_connect_ex)


def _replace(**methods: Callable[..., Any]) -> None:
    for name, method in methods.items():
        setattr(socket.socket, name, method)
