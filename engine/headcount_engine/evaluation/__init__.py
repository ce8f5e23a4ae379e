"""Answering bound rules: for everyone on bitmaps (`plan`, `execute`), and for one profile without a scan."""
