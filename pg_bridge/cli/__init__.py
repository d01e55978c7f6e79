"""The verbs, a file each: what a person types.

Takes argv, environment, clock and random ids, and is the only room that touches them and exit codes.
Gives tables for people and JSON with --json. Never holds a rule.
Read first: main.py.
"""
