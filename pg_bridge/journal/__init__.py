"""The durable record: append, replay, verify.

An append returns when it is on disk or raises. Payloads lie beside their salted hash in an RFC 6962 tree
with signed checkpoints; verify is a separate reader. Never interprets a payload.
Read first: sqlite.py, then tree.py and verify.py.
"""
