"""The life of one instruction, as a fold over journal entries.

Takes events, gives a new state, entries to make durable and actions to do after that.
Never waits, looks at a clock or knows a tag, path or code of either side; OCP is known by concepts.
Read first: state.py, then decide.py, then ports.py.
"""
