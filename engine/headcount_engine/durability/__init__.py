"""The store on disk: a log of commits, checkpoints, and a manifest that says which of them count.

This package moves bytes. What is in a record and in a checkpoint is a tree of plain values and arrays whose meaning
its callers know. Everything is little-endian; every number that bounds an allocation is checked first.

The directory
=============
    LOCK                         held by flock for the life of the process; the holder's pid as text
    MANIFEST                     which generations count; replaced whole (MANIFEST.tmp, fsync, rename, fsync directory)
    log-<first version>.log      commits from that version on; 20 digits
    checkpoint-<version>.tree    the state at a version: a tree whose arrays are lists of chunks
    chunks-<version>.pack        chunks that were new in that checkpoint
    *.tmp                        begun and not finished; removed at the next start
    *.torn                       what was cut from the end of a log file, kept to be looked at

A log file
==========
Header, 64 bytes. Written and synced before the first frame, so a broken one means that nothing was acknowledged here.
    0   8  magic  "HCLOG" 1A 0A 00    a text-mode transfer or a truncating editor breaks it
    8   2  format, major              another major is refused; files are not touched
   10   2  format, minor
   12   4  zero
   16  16  store                      files of two stores cannot be mixed
   32   8  first version
   40   4  CRC of the last frame of the previous log file, 0 for the first: a missing or foreign file shows
   44  16  zero
   60   4  CRC32C of bytes 0 to 60

Frames, each at a multiple of 8 bytes.
    0   4  magic  "HCFR"
    4   4  length of the payload      bounded by FRAME_BYTES_MAX and the file before anything is allocated
    8   2  kind                       an unknown one is refused, never skipped
   10   2  format of that kind
   12   4  CRC of the frame before    lets a frame be proved without the ones before it, and the order be proved
   16   8  version                    a commit is one more than the commit before; other kinds repeat it
   24   8  synced_through             how much of this file was synced when this frame was written
   32   4  zero
   36   4  CRC32C of bytes 0 to 36 and of the padded payload
   40   n  payload, zeros up to a multiple of 8

`synced_through` tells a torn end from damage: a frame that proves a sync past a bad frame proves that the bad one was
whole once, so it is damage. Where no frame does, the bad one may never have been acknowledged: it is cut off.

A payload (and a tree)
======================
    0   4  length of the skeleton
    4   n  skeleton: one msgpack value, arrays in place of maps; an array is extension 1: dtype, shape, offset
       .   zeros up to a multiple of 8; then the arrays end to end, each at a multiple of 8

The manifest and the head of a tree
===================================
    0   8  magic
    8   2  format, major      10  2  minor     12  4  CRC32C of the file, these four bytes being zero
   16   8  length of what follows
   24   n  one msgpack value (manifest) or one payload (tree)

A tree's arrays are not in it: extension 2 gives dtype, shape and the numbers of its chunks in the tree's chunk table,
each entry (pack, offset, length, CRC32C, BLAKE2b-128). A chunk of equal digest in the checkpoint before is not
written again: the table points into the older pack.
"""
