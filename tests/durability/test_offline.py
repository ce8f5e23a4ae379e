"""Looking at stores, checking every byte, saving what is good, copying a running one."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from headcount_engine.clock import ManualClock
from headcount_engine.database import Database, offline
from headcount_engine.errors import FailedPrecondition, NotFound, StoreDamaged, StoreLocked
from headcount_engine.model.values import Kind
from headcount_server.commands.exits import Exit
from headcount_server.commands.main import main
from tests.agreement.columns import column, profiles
from tests.durability.crash_files import CrashFiles
from tests.durability.databases import MANUAL, NOW, Witness, digest, live_through
from tests.durability.test_damage import image_of


def put(path: Path, image: dict[str, bytes]) -> Path:
    path.mkdir(parents=True)
    for name, data in image.items():
        (path / name).write_bytes(data)
    return path


def database(path: Path) -> Database:
    return Database.open(path, clock=ManualClock(NOW), durability=MANUAL)


@pytest.fixture(scope="module")
def life() -> tuple[dict[str, bytes], Witness]:
    """The files of a database at its end, its last checkpoint not made, and its states."""
    files, witness = CrashFiles(), Witness()
    live_through(files, witness, looks=True)
    return files.process_ended(), witness


def test_a_sound_store_is_found_sound_and_every_file_is_named(
    tmp_path: Path, life: tuple[dict[str, bytes], Witness]
) -> None:
    path = put(tmp_path / "store", life[0])
    verdict = offline.verify(path)
    assert verdict.is_sound and not verdict.faults and verdict.commits > 0
    assert {fact.name for fact in offline.inspect(path)} == set(life[0])


def test_verify_finds_each_kind_of_damage_and_where(tmp_path: Path) -> None:
    image = image_of(commits=8, checkpoints=(3, 6))
    for number, name in enumerate(sorted(image)):
        damaged = bytearray(image[name])
        damaged[len(damaged) * 2 // 3] ^= 64
        path = put(tmp_path / str(number), {**image, name: bytes(damaged)})
        faults = offline.verify(path).faults
        assert [f.path for f in faults][:1] == [name] and faults[0].message


def test_verify_tells_a_torn_end_from_damage(tmp_path: Path) -> None:
    image = image_of()
    log = max(name for name in image if name.endswith(".log"))
    (fault,) = offline.verify(put(tmp_path / "torn", {**image, log: image[log][:-3]})).faults
    assert fault.is_torn and fault.path == log


def test_salvage_keeps_everything_before_the_damage_and_nothing_after(
    tmp_path: Path, life: tuple[dict[str, bytes], Witness]
) -> None:
    image, witness = life
    logs = sorted(name for name in image if name.endswith(".log"))
    name = max(logs, key=lambda n: len(image[n]))
    for number, place in enumerate(range(100, len(image[name]), len(image[name]) // 5)):
        # Both checkpoints lie after the log begins, so without the newer one the log is needed.
        trees = sorted(n for n in image if n.endswith(".tree"))
        damaged = bytearray(image[name])
        damaged[place] ^= 1
        path = put(tmp_path / f"damaged {number}", {**image, name: bytes(damaged), trees[-1]: b"gone"})
        with pytest.raises(StoreDamaged):
            database(path)
        before = {p.name: p.read_bytes() for p in path.iterdir() if p.name != "LOCK"}
        saved = offline.salvage(path, tmp_path / f"saved {number}")
        assert saved.stopped_at is not None
        assert {p.name: p.read_bytes() for p in path.iterdir() if p.name != "LOCK"} == before
        with database(tmp_path / f"saved {number}") as found:
            assert found.status().version == saved.version
            assert digest(found) == witness.at[saved.version]


def test_a_backup_of_a_running_database_is_a_store_of_one_version(tmp_path: Path) -> None:
    with database(tmp_path / "store") as live:
        live.write_profiles(profiles(["a"], column("n", Kind.INT, [1])))
        stop = threading.Event()

        def write_on() -> None:
            number = 0
            while not stop.is_set():
                number += 1
                live.write_profiles(profiles([f"k{number}"], column("n", Kind.INT, [number])))

        writer = threading.Thread(target=write_on)
        writer.start()
        try:
            versions = [live.backup(tmp_path / f"backup {i}") for i in range(3)]
        finally:
            stop.set()
            writer.join()
        assert versions == sorted(versions) and live.status().version >= versions[-1]
    for number, version in enumerate(versions):
        assert offline.restore(tmp_path / f"backup {number}", tmp_path / f"restored {number}") == version
        with database(tmp_path / f"restored {number}") as found:
            assert found.status().version == version
            # One profile a version, from the first on.
            assert found.count("n >= 1").count == found.status().profiles == version
            found.write_profiles(profiles(["new"]))


def test_what_is_there_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").write_text("mine")
    path = put(tmp_path / "store", image_of())
    for call in (offline.salvage, offline.restore):
        with pytest.raises(FailedPrecondition):
            call(path, tmp_path / "taken")
    with database(tmp_path / "own") as live, pytest.raises(FailedPrecondition):
        live.backup(tmp_path / "taken")
    with pytest.raises(NotFound):
        offline.verify(tmp_path / "nowhere")


def test_an_open_store_is_not_verified_behind_its_back(tmp_path: Path) -> None:
    with database(tmp_path), pytest.raises(StoreLocked):
        offline.verify(tmp_path)


def test_the_commands_tell_by_their_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with database(tmp_path / "store") as live:
        live.write_profiles(profiles(["a"]))
    store = str(tmp_path / "store")
    assert main(["inspect", store]) == Exit.DONE and "MANIFEST" in capsys.readouterr().out
    assert main(["verify", store]) == Exit.DONE and "sound" in capsys.readouterr().out
    assert main(["restore", store, str(tmp_path / "copy")]) == Exit.DONE
    assert main(["salvage", store, str(tmp_path / "saved")]) == Exit.DONE
    (tree,) = (tmp_path / "copy").glob("*.tree")
    tree.write_bytes(b"x")
    assert main(["verify", str(tmp_path / "copy")]) == Exit.NO and "damage" in capsys.readouterr().out
    assert main(["verify", str(tmp_path / "nowhere")]) == Exit.NOT_FOUND
