"""The rules turned round: a document back into its request, a message back into what it says of OCP's entry.

Takes documents and messages; gives the other side with lineage, and tells what does not come back as it went.
Never guesses. Read first: way_back.py, then fidelity.py.
"""
