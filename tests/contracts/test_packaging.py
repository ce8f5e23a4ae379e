"""`pip install headcount` is the light client: one wheel, three packages, and an import that needs two others."""

from __future__ import annotations

import email
import os
import re
import subprocess
import sys
import zipfile
from email.message import Message
from importlib import metadata
from pathlib import Path

import pytest

from tests.contracts.source_tree import PACKAGES, ROOT

# Runs without site-packages' .pth files, so the checkout's own packages are out of reach. The hook goes first and
# refuses every package that is neither part of Python, nor in the wheel, nor what grpcio and protobuf bring.
IMPORT_ALONE = """
import sys

target, site_packages, *allowed = sys.argv[1:]
allowed = {"headcount", *allowed}


class Refuse:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names or top in allowed:
            return None
        raise ModuleNotFoundError(f"{name} is not installed here", name=name)


sys.meta_path.insert(0, Refuse())
sys.path[:0] = [target]
sys.path.append(site_packages)
"""


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """The output of a command that must succeed without the network."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | {"PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder)
    (built,) = folder.glob("headcount-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds what the wheel brings, and nothing else."""
    folder = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", folder, wheel)
    return folder


@pytest.fixture(scope="module")
def about(wheel: Path) -> Message:
    """The wheel's metadata."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return email.message_from_bytes(archive.read(name))


def import_alone(installed: Path, statement: str) -> str:
    """What a fresh interpreter prints that can import the wheel, grpcio, protobuf and Python's own modules."""
    site_packages = Path(str(metadata.distribution("grpcio").locate_file("")))
    allowed = ["grpc", "google", "typing_extensions"]
    program = IMPORT_ALONE + statement
    return run(sys.executable, "-I", "-S", "-c", program, installed, site_packages, *allowed, cwd=installed)


def base_requirements(about: Message) -> set[str]:
    """Names of what is installed without any extra."""
    lines = about.get_all("Requires-Dist", [])
    return {re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in lines if "extra ==" not in line}


def test_the_client_imports_with_grpcio_and_protobuf_alone(installed: Path) -> None:
    said = import_alone(
        installed, "from headcount import Client; import headcount; print(headcount.__file__)"
    )
    assert Path(said.strip()).is_relative_to(installed)


def test_the_fence_around_that_import_holds(installed: Path) -> None:
    statement = "try:\n    import numpy\nexcept ModuleNotFoundError as error:\n    print(error)"
    assert import_alone(installed, statement).strip() == "numpy is not installed here"


def test_the_client_pulls_in_grpcio_and_protobuf_and_nothing_else(about: Message) -> None:
    assert base_requirements(about) == {"grpcio", "protobuf"}


def test_grpcio_brings_nothing_that_the_fence_would_hide() -> None:
    needed = {
        re.split(r"[^\w.-]", line, maxsplit=1)[0]
        for name in ("grpcio", "protobuf")
        for line in metadata.requires(name) or []
        if "extra ==" not in line
    }
    assert needed <= {"typing-extensions"}


def test_the_extras_are_the_four_that_are_documented(about: Message) -> None:
    assert sorted(about.get_all("Provides-Extra", [])) == ["bench", "demo", "dev", "server"]


def test_the_wheel_holds_every_file_of_the_three_packages_and_no_test(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    sources = {
        f"{package}/{path.relative_to(folder).as_posix()}"
        for package, folder in PACKAGES.items()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix in {".py", ".pyi", ".typed"}
    }
    assert {name for name in names if name.endswith((".py", ".pyi", ".typed"))} == sources
    assert {name.partition("/")[0] for name in names} == set(PACKAGES)
    assert not [name for name in names if re.search(r"(^|/)(tests?|conftest|test_\w+)(/|\.py|$)", name)]


def test_each_package_says_that_it_is_typed(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        assert {f"{package}/py.typed" for package in PACKAGES} <= set(archive.namelist())


def test_the_wheel_brings_the_command_and_the_licence(installed: Path) -> None:
    (info,) = installed.glob("headcount-*.dist-info")
    assert "headcount = headcount_server.commands.main:run" in (info / "entry_points.txt").read_text()
    assert "Apache License" in (info / "licenses" / "LICENSE").read_text()


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-bench.lock"])
def test_a_lock_holds_versions_and_hashes_and_nothing_of_the_machine_that_made_it(name: str) -> None:
    lines = (ROOT / name).read_text().splitlines()
    pinned = [line for line in lines if re.match(r"[a-z0-9]", line)]
    assert len(pinned) > 20
    assert [
        line for line in pinned if not re.fullmatch(r"[a-z0-9.-]+(\[[a-z,-]+\])?==[^ ]+( ; .+)? \\", line)
    ] == []
    options = [line for line in lines if line.startswith("-") or "://" in line or re.search(r"(^|\s)/", line)]
    assert options == []
    hashes = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")
    assert [line for line in lines if "--hash" in line and not hashes.fullmatch(line)] == []


def test_the_bench_lock_agrees_with_the_lock_it_is_installed_over() -> None:
    pins = [
        dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))
        for name in ("requirements.lock", "requirements-bench.lock")
    ]
    shared = pins[0].keys() & pins[1].keys()
    assert {"numpy", "protobuf"} <= shared
    assert {name: (pins[0][name], pins[1][name]) for name in shared if pins[0][name] != pins[1][name]} == {}
