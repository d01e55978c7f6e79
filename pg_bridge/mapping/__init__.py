"""The rule engine: one rule file a function, compiled when loaded, every value explained.

Takes a message or a document and a context; gives the other side, with lineage and findings.
Never knows how far an exchange is; never guesses. Follows: mappings/README.md.
Read first: document.py, then book.py.
"""
