"""From recorded traffic between a PSS and its PG to the framing that it follows, and how sure that is.

Takes byte streams, one direction of one connection each; gives a Calibration: answers, and a link profile of them.
Never reads a file, never calls sure what another reading of the same bytes would contradict.
Follows: mappings/legacy/framing.toml, whose entries are the questions.
Read first: calibrate.py, then grid.py.
"""
