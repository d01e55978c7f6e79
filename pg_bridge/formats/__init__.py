"""Bytes to message and back, for every format that crosses the bridge.

Pure: no socket, disk, clock or log. Knows the standards, never a template.
Read first: iso15022/model.py.
"""
