"""Files of fixed-width records: bytes to records and back, by a layout that is data.

Never raises for a bad file: every fault is a finding with its line and columns. Holds no more of a file than a piece.
Read first: layout.py, then reader.py and writer.py.
"""
