"""The TCP listener towards the participants' systems.

Drives link sessions with real sockets and a real clock; hands events to the dispatcher. Holds no rule.
Read first: listener.py.
"""
