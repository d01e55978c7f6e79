"""A bench: a pretend OCP and a scripted PSS.

Shares formats, link, profiles and errors with the bridge and nothing else, so that it can judge it.
The pretend OCP speaks concepts only; the profile's binding gives them names.
Read first: pretend.py, then si_book.py and life_cycle.py; ocp.py is its HTTP, control.py its commands; pss.py.
"""
