"""Both sides as typed values: what mappings/legacy and mappings/ocp say.

Takes file texts, gives templates, codes, operations, limits, and the binding of concepts to names.
Never reads a disk; never holds a name or code of either side in Python.
Read first: concepts.py, then ocp.py and legacy.py.
"""
