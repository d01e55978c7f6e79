"""The TCP listener and the drop folders towards the participants' systems.

Drives link sessions with real sockets and a real clock, and files through folders; hands events to the dispatcher.
Holds no rule.
Read first: listener.py; of the folders drop_folder.py.
"""
