"""Fuzzing with a budget of time: `python -m tests.fuzz.<what> --seconds N`."""
