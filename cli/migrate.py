"""`stenocast migrate`: the ledger's schema brought up to date, as a step of its own."""

from __future__ import annotations


def migrate() -> None:
    """Make the ledger, or bring its schema up to date. A second run changes nothing.

    Every process does that too when it starts: this command is for upgrades that want it done, or failed, before any
    of them is replaced.
    """
    from adapters.settings import read_settings
    from adapters.wiring import newest_schema, open_ledger

    open_ledger(read_settings())
    print(f"the ledger's schema is {newest_schema()}")
