"""Make client/headcount/v1 from the .proto files beside this script.

    python proto/generate.py            write the generated code
    python proto/generate.py --check    fail if the committed code is not what would be written

Needs grpcio-tools at the version pinned in pyproject.toml: code made by an older protoc runs on newer releases of
protobuf, and not the other way round.
"""

from __future__ import annotations

import argparse
import filecmp
import shutil
import sys
import tempfile
from importlib import metadata, resources
from pathlib import Path

from grpc_tools import protoc

PROTO = Path(__file__).resolve().parent
PACKAGE = Path("headcount/v1")
CLIENT = PROTO.parent / "client"
TOOLS_VERSION = "1.74.0"
INIT = '"""Generated from proto/headcount/v1 by proto/generate.py; not edited by hand."""\n'


def generate(target: Path) -> None:
    """Write the package `headcount.v1` under the empty folder `target`."""
    package = target / PACKAGE
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(INIT)
    sources = sorted(str(path.relative_to(PROTO)) for path in (PROTO / PACKAGE).glob("*.proto"))
    well_known = resources.files("grpc_tools") / "_proto"
    arguments = [f"--{kind}_out={target}" for kind in ("python", "pyi", "grpc_python")]
    if protoc.main(["protoc", f"-I{PROTO}", f"-I{well_known}", *arguments, *sources]) != 0:
        raise SystemExit("protoc failed")
    for stub in package.glob("*_pb2_grpc.py"):
        if not _has_service(stub):
            stub.unlink()


def _has_service(stub: Path) -> bool:
    return "class " in stub.read_text()


def differences(committed: Path, fresh: Path) -> list[str]:
    """Names of files that are missing, superfluous or not the same byte for byte."""
    names = {p.name for folder in (committed, fresh) for p in folder.glob("*.py*") if p.is_file()}
    _, mismatch, errors = filecmp.cmpfiles(committed, fresh, sorted(names), shallow=False)
    return sorted([*mismatch, *errors])


def replace(committed: Path, fresh: Path, changed: list[str]) -> None:
    """Bring the changed files over, one by one, so that whoever imports the package meanwhile finds it whole."""
    committed.mkdir(parents=True, exist_ok=True)
    for name in changed:
        if (fresh / name).exists():
            shutil.copyfile(fresh / name, committed / name)
        else:
            (committed / name).unlink()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="only compare with the committed code")
    check = parser.parse_args().check
    installed = metadata.version("grpcio-tools")
    if installed != TOOLS_VERSION:
        print(f"grpcio-tools {TOOLS_VERSION} is needed, found {installed}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        fresh = Path(folder) / PACKAGE
        changed = differences(CLIENT / PACKAGE, fresh)
        if not check:
            replace(CLIENT / PACKAGE, fresh, changed)
            return 0
    for name in changed:
        print(f"{PACKAGE / name} is not what proto/ says; run proto/generate.py", file=sys.stderr)
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
