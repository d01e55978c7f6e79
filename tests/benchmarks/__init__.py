"""Benchmarks: commands of their own, each printing both sides of its ratio."""
