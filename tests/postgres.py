"""A throwaway PostgreSQL server on a Unix socket and a loopback port, for one test session."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.ports import free_port


def binaries() -> Path:
    """The folder of the newest installed server; raises FileNotFoundError with what to do."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    on_path = shutil.which("initdb")
    if not found and not on_path:
        raise FileNotFoundError("PostgreSQL's server is missing: apt-get install postgresql")
    return found[-1].parent if found else Path(str(on_path)).parent


@contextmanager
def server() -> Iterator[str]:
    """The URL of a fresh, empty cluster: postgresql://…/; stopped and removed at the end."""
    bin_dir, folder = binaries(), Path(tempfile.mkdtemp(prefix="ratchet-pg-"))
    user = _unprivileged(folder)
    data, port = folder / "data", free_port()
    with_user = ["setpriv", f"--reuid={user}", "--clear-groups"] if user else []
    try:
        subprocess.run(
            [*with_user, bin_dir / "initdb", "-D", data, "-U", "ratchet", "-A", "trust", "-N"],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=folder,
        )
        process = subprocess.Popen(
            [
                *with_user,
                bin_dir / "postgres",
                "-D",
                data,
                "-p",
                str(port),
                "-k",
                str(folder),
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "max_connections=200",
                # Nobody tests whether a machine that loses power keeps what PostgreSQL wrote.
                "-c",
                "fsync=off",
                "-c",
                "full_page_writes=off",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
        )
        try:
            _wait_until_ready(bin_dir, with_user, port)
            yield f"postgresql://ratchet@127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged(folder: Path) -> str:
    """PostgreSQL refuses to run as root: there, another user is taken."""
    if os.geteuid() != 0:
        return ""
    name = next(n for n in ("postgres", "nobody") if n in {u.pw_name for u in pwd.getpwall()})
    shutil.chown(folder, name)
    return name


def _wait_until_ready(bin_dir: Path, with_user: list[str], port: int) -> None:
    subprocess.run(
        [
            *with_user,
            "timeout",
            "30",
            "sh",
            "-c",
            f"until {bin_dir}/pg_isready -q -h 127.0.0.1 -p {port}; do sleep 0.05; done",
        ],
        check=True,
    )
