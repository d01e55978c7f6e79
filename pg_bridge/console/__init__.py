"""The HTTP doors of the bridge: health and the webhook that OCP pushes to; and the control door on a Unix socket.

Hands headers, bodies and commands to ports; never checks a signature or decides anything itself.
Read first: app.py, then control.py.
"""
