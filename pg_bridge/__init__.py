"""pg-bridge: a translating proxy from the CCASS Participant Gateway's ISO 15022 dialect to the OCP API.

Rooms, from the top: cli, bridge, config, then the edges (pss, ocp, journal, console) and the dispatcher,
then the pure rooms (exchange, mapping, profiles, formats, link), then errors and telemetry.
Imports go down only. Read first: README.md, then exchange/__init__.py.
"""
