"""A bench: a pretend OCP and a scripted PSS.

Shares formats, link, profiles and errors with the bridge and nothing else, so that it can judge it.
Read first: ocp.py, then si_book.py and pss.py.
"""
