"""The configuration file that `serve --example-config` prints: every key with its default and its meaning."""

from __future__ import annotations

EXAMPLE = """\
# pg-bridge: the whole configuration, with its defaults. Keys without a default are marked `needed`.
# Any key of a section may be overridden by the environment: PG_BRIDGE_PSS_PORT=7001.

mappings = ""                       # another folder of mappings; empty: the one shipped with the bridge

[ocp]
base_url = "https://ocp.example"    # needed: where OCP's API is
auth_base_url = ""                  # where tokens are asked for; empty: base_url
company_id = "HKB01234"             # needed: the company as OCP knows it
machine_id = "HKB01234-M1"          # needed: this machine as OCP knows it
company_key_file = "company.pem"    # needed: PEM private key, mode 0600; beside it may lie company.keys.toml, which
machine_key_file = "machine.pem"    # lists several with their times (`pg-bridge keys rotate`); needed, likewise
key_passphrase_env = ""             # the environment variable that holds the passphrase of these keys, and of that of
key_passphrase_file = ""            # client_key_file; or the file (mode 0600), whose last line end does not count
ca_file = ""                        # another CA for OCP's certificate (PEM); TLS 1.2 at least in any case
client_certificate_file = ""        # mTLS: the certificate (PEM) that we show OCP
client_key_file = ""                # its key, where it does not stand in the same file; mode 0600
proxy = ""                          # http://host:port, or https; a password: http://user:password@host:port
connect_timeout_s = 3.0             # to a connection: address, TCP and TLS
pool_timeout_s = 10.0               # to a free connection of those that are kept, making one included
write_timeout_s = 10.0              # to the last byte of a call
read_timeout_s = 10.0               # between two pieces of its answer
whole_timeout_s = 0.0               # of a call from first to last byte; 0: pool, write and read together
keep_alive_s = 4.0                  # an unused connection is kept so long
most_connections = 64
company_calls = 0                   # calls in 60 s: 0 as the OCP profile says, -1 no limit
circuit_failures = 5                # so many failed calls in a row, and none goes until OCP is seen to be up again,
                                    # tried after [exchange] retry_first_s, each time later up to retry_most_s; 0: never

[participants.B01234]               # needed: one section for each participant that may log on
addresses = []                      # source addresses allowed; empty: any
lenient = false                     # carry unknown optional fields along instead of refusing them
profile = {}                        # own texts for `profile.*`: { stock_account = "00000001", refusal_form = "sample" }
drop_folder = ""                    # where it exchanges files: inbox, taken, outbox, rejected, archive are made in it,
                                    # all on one file system; empty: none
ncps = []                           # the NCPs whose trades are its own; empty: those that reference data says it clears
                                    # for, and itself

[drop]
scan_s = 1.0                        # how often the inboxes are looked at
settle_s = 2.0                      # for so long a file must not have changed before it is taken; names that begin with
                                    # a dot or end in .tmp, .part or .filepart are left alone

[pss]
host = "127.0.0.1"
port = 7000
secondary = ""                      # host:port of a second node for PSSs that know two; one bridge serves both
answer_order = ""                   # request: answers leave in the order of their requests; any: as they come; empty:
                                    # as legacy/framing.toml says
max_sessions_per_participant = 4
pause_unsent_bytes = 262144         # with more waiting than this for a PSS that reads slowly nothing is read from it
resume_unsent_bytes = 65536         # or delivered to it, until no more than this waits
slow_reader_s = 30.0                # after so long of that it is disconnected; what it did not get goes again
most_unsent_bytes = 8388608         # with more waiting for it than this it is disconnected at once
drain_s = 5.0                       # when the bridge stops: for answers to what is in flight, and acknowledgements
tls_certificate = ""                # PEM; with tls_key the PSSs must speak TLS
tls_key = ""
tls_client_ca = ""                  # PEM; then the PSSs must show a certificate of this CA

[push]
driver = ""                         # how updates come: webhook, sse, websocket or poll; empty: as ocp/profile.toml says
host = "127.0.0.1"
port = 7080
url = ""                            # the URL OCP pushes to; empty: http://host:port/ocp/status-events; needed where
                                    # host is 0.0.0.0, as it is in the container
subscribe = true                    # subscribe that URL at OCP when starting

[reconcile]
at = ""                             # HH:MM, Hong Kong time: every open SI is compared with OCP, each day; empty: a
                                    # quarter of an hour after the last session of ocp/hours.toml, 20:00 without one

[journal]
path = "pg-bridge.journal.sqlite"
node = "node1"

[exchange]
answer_within_s = 20.0              # then the PSS is told that the outcome is awaited
retry_first_s = 1.0
retry_most_s = 30.0
file_within_s = 600.0               # a batch file whose parts have not all come by then is dropped

[control]
socket = "pg-bridge.control.sock"   # Unix domain socket (mode 0600) for commands such as `pg-bridge mappings load`;
                                    # empty: none

[reports]
folder = ""                         # reports for download: <folder>/<participant>/<YYYYMMDD>/<report id>, each renamed
                                    # into its place when it is whole; empty: none

[feeds]
trades = []                         # markets whose trades are taken: "hong_kong", "shanghai", "shenzhen"; empty: none
trade_wait_s = 30                   # a long poll waits so long at OCP for the next trade
trade_every_s = 5.0                 # between two polls of one market, unless there is more at once
trade_days_back = 4                 # trades of so many days before today are completed, too
reference_data = false              # take participants, stocks, calendar and NCP/GCP mapping at start, and each day at
reference_at = "06:00"              # this Hong Kong time
reference_faults = "warn"           # an instruction at odds with reference data: ignore, warn (a finding in the
                                    # journal), refuse (before OCP is asked)
reports = []                        # reports made of it by themselves: "cclid01", "participants", "stocks",
                                    # "calendar", "ncp-gcp"; into [reports] folder and the drop folders' outboxes
report_every_s = 900.0              # those of trades so often through the day, where there are new ones, and all at
day_end = "18:30"                   # this Hong Kong time

[log]
level = "info"
json = true
"""
