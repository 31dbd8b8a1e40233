"""The system of record: what is asked of it and what is written to it."""
