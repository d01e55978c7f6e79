"""The HTTP client towards OCP: tokens, calls, limits, and the checking of pushes.

Gives answers by the port exchange.ports.Ocp; renames every foreign exception to an OcpError at the door.
Never decides what an outcome means for an instruction. Follows: mappings/ocp/profile.toml (assumed).
Read first: client.py, then tokens.py and push.py.
"""
