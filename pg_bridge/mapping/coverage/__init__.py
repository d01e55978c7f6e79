"""What a mapping set covers, for people who sign it off: pairings of both sides, counts, explanations.

Takes a book; gives typed values for tables and pages. Never maps a message, but to show what a case shows.
Read first: pairing.py, then coverage.py.
"""
