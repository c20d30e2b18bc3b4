"""Set-up on machines that lack this or that, played with programs written for the test."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

_TOOLS = ("sh", "dirname", "cat", "cksum", "rm", "mkdir", "tee", "mktemp", "grep", "tail")
_PYTHON = '#!/bin/sh\ncase "$1" in -c) exit 0 ;; esac\nexit 1\n'
_USER = "#!/bin/sh\necho 1000\n"
_UV = """#!/bin/sh
if [ "$1" = --version ]; then echo "uv {version}"; exit 0; fi
echo "$@" >>"{log}"
mkdir -p .venv/bin
printf '#!/bin/sh\\n' >.venv/bin/python
/bin/chmod +x .venv/bin/python
"""
_UV_THAT_FAILS = """#!/bin/sh
if [ "$1" = --version ]; then echo "uv 0.13.8"; exit 0; fi
if [ "$2" != --quiet ]; then echo "no route to the index" >&2; fi
exit 2
"""
_PYTHON_OF_DEBIAN = """#!/bin/sh
case "$1" in -c) exit 0 ;; esac
cat {installed} >/dev/null 2>&1 || exit 1
mkdir -p .tools/bin
cat >.tools/bin/pip <<'END'
#!/bin/sh
cat >.tools/bin/uv <<'UV'
#!/bin/sh
if [ "$1" = --version ]; then echo "uv 0.13.8"; exit 0; fi
echo "$@" >>{log}
mkdir -p .venv
UV
/bin/chmod +x .tools/bin/uv
END
/bin/chmod +x .tools/bin/pip
"""


class Machine:
    """A folder as it comes from git, and the programs that its PATH has."""

    def __init__(self, folder: Path):
        self.checkout = folder / "ratchet"
        self.programs = folder / "programs"
        self.log = folder / "uv.log"
        (self.checkout / "deploy").mkdir(parents=True)
        (self.checkout / ".ci").mkdir()
        self.programs.mkdir()
        for name in ("deploy/setup.sh", ".ci/run", "pyproject.toml", "uv.lock"):
            shutil.copy(ROOT / name, self.checkout / name)
        for name in _TOOLS:
            os.symlink(str(shutil.which(name, path="/usr/bin:/bin")), self.programs / name)
        self.has("id", _USER)

    def has(self, name: str, text: str) -> None:
        path = self.programs / name
        path.write_text(text)
        path.chmod(0o755)

    def has_uv(self, version: str) -> None:
        self.has("uv", _UV.format(version=version, log=self.log))

    def runs(self, *command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command,
            cwd=self.checkout,
            env={"PATH": str(self.programs)},
            capture_output=True,
            text=True,
            check=False,
        )

    def calls(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_without_python_it_says_what_to_install(machine: Machine) -> None:
    done = machine.runs("deploy/setup.sh", "run")
    assert done.returncode == 1
    assert "Python 3.11 or newer is needed" in done.stderr


def test_without_venv_and_rights_it_says_what_to_install(machine: Machine) -> None:
    machine.has("python3", _PYTHON)
    done = machine.runs("deploy/setup.sh", "run")
    assert done.returncode == 1
    assert "sudo apt-get install python3-venv" in done.stderr


def test_root_gets_what_is_missing_by_apt(machine: Machine) -> None:
    """Debian's python3 has no venv until its package is there."""
    machine.has("id", "#!/bin/sh\necho 0\n")
    installed = machine.log.with_name("installed")
    machine.has("apt-get", f'#!/bin/sh\necho "$@" "$DEBIAN_FRONTEND" >>{installed}\n')
    machine.has("python3", _PYTHON_OF_DEBIAN.format(installed=installed, log=machine.log))

    done = machine.runs("deploy/setup.sh", "run")

    assert done.returncode == 0, done.stderr
    update, install = installed.read_text().splitlines()
    assert update == "update -q noninteractive"
    assert install == "install -q -y python3-venv noninteractive"
    assert len(machine.calls()) == 1


def test_an_old_uv_is_not_used(machine: Machine) -> None:
    machine.has("python3", _PYTHON)
    machine.has_uv("0.4.18")
    done = machine.runs("deploy/setup.sh", "run")
    assert done.returncode == 1
    assert machine.calls() == []


@pytest.mark.parametrize("version", ["0.9.0", "0.13.8", "1.2.0", "0.13.8 (x86_64-unknown-linux)"])
def test_the_lock_is_installed_once_and_as_it_is(machine: Machine, version: str) -> None:
    machine.has("python3.12", _PYTHON)
    machine.has_uv(version)

    first, second = (machine.runs("deploy/setup.sh", "run") for _ in range(2))

    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    assert "installing the locked packages" in first.stderr
    assert second.stderr == ""
    (call,) = machine.calls()
    assert call == f"sync --quiet --locked --python {machine.programs}/python3.12 --no-dev"


def test_what_keeps_the_packages_from_coming_is_shown(machine: Machine) -> None:
    machine.has("python3", _PYTHON)
    machine.has("uv", _UV_THAT_FAILS)
    done = machine.runs("deploy/setup.sh", "run")
    assert done.returncode == 1
    assert done.stderr.count("no route to the index") == 2
    assert "could not be installed; see above" in done.stderr


def test_a_changed_lock_is_installed_again(machine: Machine) -> None:
    machine.has("python3", _PYTHON)
    machine.has_uv("0.13.8")
    machine.runs("deploy/setup.sh", "run")
    with (machine.checkout / "uv.lock").open("a") as lock:
        lock.write("\n")
    machine.runs("deploy/setup.sh", "run")
    assert len(machine.calls()) == 2


def test_what_the_tests_need_stays_when_it_is_only_run(machine: Machine) -> None:
    machine.has("python3", _PYTHON)
    machine.has_uv("0.13.8")
    for what in ("run", "dev", "run"):
        machine.runs("deploy/setup.sh", what)
    assert [call.endswith("--no-dev") for call in machine.calls()] == [True, False]


@pytest.mark.parametrize("code", [0, 2])
def test_ci_keeps_the_code_of_make_test_and_ends_with_the_sum(machine: Machine, code: int) -> None:
    machine.has("make", f"#!/bin/sh\necho \"$@\"\necho '= 7 passed in 1.25s ='\nexit {code}\n")
    done = machine.runs(".ci/run")
    assert done.returncode == code
    assert done.stdout.splitlines()[0] == "test"
    assert done.stdout.splitlines()[-1] == "= 7 passed in 1.25s ="
