"""What is held in memory of profiles and events. Only `ingest` changes it; reads go through pinned views."""
