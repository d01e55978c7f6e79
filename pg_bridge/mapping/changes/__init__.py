"""What changed between two mapping sets, in words.

Takes the file texts of two sets, also of ones that do not check; gives changes by what they touch.
Never a comparison of texts line by line. Read first: difference.py, then change.py.
"""
