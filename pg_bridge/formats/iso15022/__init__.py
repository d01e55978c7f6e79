"""ISO 15022 text blocks: a flat, loss-free list of fields, read and written byte for byte.

Takes the bytes of a text block, gives a Message with findings; takes fields, gives bytes.
Never knows which fields a template wants. Follows: ISO 15022 field and sequence rules (facts-legacy-pg section 9).
Read first: model.py, then reader.py.
"""
