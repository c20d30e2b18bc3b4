"""Runs a command where there is only this machine: `unshare -rn python -m tests.stories.alone …`.

What it runs may listen on every interface, for there is only one: loopback, which starts down.
"""

import fcntl
import socket
import struct
import subprocess
import sys

_SET_FLAGS, _UP = 0x8914, 0x1


def main() -> None:
    others = [name for _, name in socket.if_nameindex() if name != "lo"]
    if others:
        sys.exit(f"not alone here: {', '.join(others)}. Run it with: unshare -rn")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh14x", b"lo", _UP))
    sys.exit(subprocess.run(sys.argv[1:], check=False).returncode)


if __name__ == "__main__":
    main()
