"""The rule engine: one rule file a function, compiled when loaded, every value explained.

Takes a message or a document and a context; gives the other side, with lineage and findings.
Never knows how far an exchange is; never guesses. Follows: mappings/README.md. Rooms within: checks (what is wrong
with a set), back (the rules turned round), coverage (for people who sign it off), changes (between two sets).
Read first: document.py, then book.py.
"""
