"""The guard that keeps tests on this machine."""

import socket

import pytest

from tests.netguard import BlockedSocket


def test_another_machine_is_out_of_reach() -> None:
    with socket.socket() as out, pytest.raises(BlockedSocket):
        out.connect(("192.0.2.1", 80))
    with socket.socket() as out, pytest.raises(BlockedSocket):
        out.connect_ex(("example.org", 80))


def test_this_machine_is_not() -> None:
    with socket.socket() as server, socket.socket() as client:
        server.bind(("127.0.0.1", 0))
        server.listen()
        client.connect(server.getsockname())
