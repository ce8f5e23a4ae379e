"""Files that were tampered with: a torn end is cut and kept, all else is refused with the place, and nothing wrong is
ever read."""

from __future__ import annotations

import pytest

from headcount_engine.durability.framing import (
    HEADER_BYTES,
    Frame,
    FrameKind,
    Position,
    decode_header,
    frames,
)
from headcount_engine.errors import StoreDamaged, StoreError
from tests.durability.crash_files import CrashFiles
from tests.durability.histories import Small

COMMITS = 5
LOG = "log-00000000000000000001.log"


def image_of(*, commits: int = COMMITS, checkpoints: tuple[int, ...] = ()) -> dict[str, bytes]:
    """A store after some commits whose process was killed."""
    files = CrashFiles()
    small = Small(files)
    for number in range(1, commits + 1):
        small.commit()
        if number in checkpoints:
            small.checkpoint()
    return files.process_ended()


def frames_of(log: bytes) -> list[Frame]:
    header = decode_header(log)
    found = list(frames(memoryview(log), Position(header.first_version - 1, header.previous_crc)))  # type: ignore[union-attr]
    assert all(isinstance(f, Frame) for f in found)
    return [f for f in found if isinstance(f, Frame)]


def opened(image: dict[str, bytes], log: bytes, name: str = LOG) -> Small | StoreError:
    try:
        return Small(CrashFiles({**image, name: log}))
    except StoreError as error:
        return error


def test_the_log_cut_at_every_byte_of_its_last_three_frames_loses_only_what_was_cut() -> None:
    image = image_of()
    log = image[LOG]
    found = frames_of(log)
    for size in range(found[-3].offset, len(log)):
        whole = sum(f.end <= size for f in found)
        held = opened(image, log[:size])
        assert isinstance(held, Small)
        assert held.version == sum(f.kind is FrameKind.COMMIT for f in found[:whole])
        torn = held.store.report.torn
        at_an_edge = size in {f.end for f in found} | {found[0].offset}
        assert (torn is None) == at_an_edge
        if torn is not None:
            assert torn.offset == found[whole].offset and torn.bytes_cut == size - torn.offset


def test_every_flipped_bit_in_the_last_three_frames_is_cut_or_refused_and_never_read() -> None:
    image = image_of()
    log = image[LOG]
    found = frames_of(log)
    for frame in found[-3:]:
        for place in range(frame.offset, frame.end):
            for bit in (place % 8, (place + 3) % 8):
                damaged = bytearray(log)
                damaged[place] ^= 1 << bit
                held = opened(image, bytes(damaged))
                if frame is found[-1]:
                    # The last frame has no witness that it was ever synced.
                    assert isinstance(held, Small) and held.version == COMMITS - 1 and held.store.report.torn
                else:
                    assert isinstance(held, StoreDamaged) and held.path == LOG and held.offset == frame.offset


def test_zeros_a_frame_twice_and_frames_in_another_order_are_refused() -> None:
    image = image_of()
    log = image[LOG]
    a, b, c = (log[f.offset : f.end] for f in frames_of(log)[-3:])
    before = log[: frames_of(log)[-3].offset]
    for damaged in (
        before + a + a + b + c,
        before + b + a + c,
        before + a + bytes(len(b)) + c,
        before + b + c,
    ):
        held = opened(image, damaged)
        assert isinstance(held, StoreDamaged) and held.path == LOG and held.offset > 0
    # What follows the last whole frame is a torn end, whatever it is.
    for rest in (bytes(64), c, b"\xff" * 100):
        held = opened(image, log + rest)
        assert isinstance(held, Small) and held.version == COMMITS and held.store.report.torn is not None


def test_the_torn_end_is_kept_beside_the_log() -> None:
    image = image_of()
    files = CrashFiles({**image, LOG: image[LOG][:-3]})
    small = Small(files)
    torn = small.store.report.torn
    assert torn is not None and torn.path == LOG
    last = frames_of(image[LOG])[-1]
    assert bytes(files.read(torn.saved_as)) == image[LOG][last.offset : -3]
    assert bytes(files.read(LOG)) == image[LOG][: last.offset]


def test_a_missing_log_file_is_refused_by_name() -> None:
    image = image_of(commits=8, checkpoints=(2, 4, 6))
    logs = sorted(name for name in image if name.startswith("log-"))
    assert len(logs) >= 2
    for name in logs:
        rest = {n: data for n, data in image.items() if n != name}
        if name == logs[-1]:
            with pytest.raises(StoreDamaged, match=name):
                Small(CrashFiles(rest))
        else:
            # Only the checkpoint before the newest would need it.
            assert Small(CrashFiles(rest)).version == 8
    damaged = {n: data for n, data in image.items() if n not in (logs[0], max(image, key=_tree_version))}
    with pytest.raises(StoreDamaged, match="missing"):
        Small(CrashFiles(damaged))


def _tree_version(name: str) -> str:
    return name if name.endswith(".tree") else ""


def test_files_of_two_stores_do_not_mix() -> None:
    image, other = image_of(), image_of()
    with pytest.raises(StoreDamaged, match="another store"):
        Small(CrashFiles({**image, LOG: other[LOG]}))
    image, other = image_of(checkpoints=(3,)), image_of(checkpoints=(3,))
    tree = next(name for name in image if name.endswith(".tree"))
    with pytest.raises(StoreDamaged):
        Small(CrashFiles({**image, tree: other[tree]}))


def test_a_header_that_is_damaged_is_refused_and_one_of_a_later_format_is_left_alone() -> None:
    image = image_of()
    for place in range(HEADER_BYTES):
        damaged = bytearray(image[LOG])
        damaged[place] ^= 16
        assert isinstance(opened(image, bytes(damaged)), StoreDamaged)


@pytest.mark.parametrize("part", ["MANIFEST", ".tree", ".pack"])
def test_every_flipped_byte_of_the_only_checkpoint_is_refused(part: str) -> None:
    image = image_of(checkpoints=(COMMITS,))
    (name,) = (n for n in image if n.endswith(part))
    for place in range(0, len(image[name]), max(1, len(image[name]) // 400)):
        damaged = bytearray(image[name])
        damaged[place] ^= 1 << (place % 8)
        before = {**image, name: bytes(damaged)}
        files = CrashFiles(before)
        held = opened(before, bytes(damaged), name)
        if isinstance(held, Small):
            # Between chunks, and in the head of a pack, lie bytes that mean nothing.
            assert part == ".pack" and held.version == COMMITS
        else:
            assert isinstance(held, StoreDamaged) and held.path
            with pytest.raises(StoreDamaged):
                Small(files)
            assert files.process_ended() == before


def test_a_damaged_checkpoint_is_replaced_by_the_one_before_it_and_said() -> None:
    image = image_of(commits=8, checkpoints=(3, 6))
    newest = max(name for name in image if name.endswith(".tree"))
    for damaged in (image[newest][:-1], image[newest] + b"\0", b"", bytes(len(image[newest]))):
        small = Small(CrashFiles({**image, newest: damaged}))
        assert small.version == 8 and small.store.report.checkpoint_version == 3
        assert "checkpoint" in small.store.report.warnings[0]
        small.commit()
        small.checkpoint()
        assert small.store.checkpoint_version == 9
    trees = {name: b"" for name in image if name.endswith(".tree")}
    with pytest.raises(StoreDamaged):
        Small(CrashFiles({**image, **trees}))


def test_data_without_a_manifest_is_refused() -> None:
    for image in (image_of(), image_of(checkpoints=(3,))):
        with pytest.raises(StoreDamaged, match="MANIFEST is missing"):
            Small(CrashFiles({n: data for n, data in image.items() if n != "MANIFEST"}))
