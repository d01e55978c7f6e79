"""The conversation between a PSS and the PG, without the TCP; both ends of it.

Takes bytes and `now`; gives events and bytes. Never opens a socket, sleeps or logs.
Follows: mappings/legacy/framing.toml (widths public in kind, values assumed).
Read first: framing.py, then session.py.
"""
