"""What is wrong with a mapping set, found before anything starts.

Takes file texts, rules and profiles; gives findings with file, line and what to do. Never raises for what a file says.
Follows: mappings/README.md. Read first: check.py, then request_paths.py and paths.py.
"""
