"""`python -m pg_bridge` is `pg-bridge`."""

from pg_bridge.cli.main import main

if __name__ == "__main__":
    main()
