"""`stenocast migrate`: the ledger's schema brought up to date, or back, as a step of its own."""

from __future__ import annotations

from typing import Annotated

import typer


def migrate(
    to: Annotated[
        str,
        typer.Option(
            help="Go back to this version instead, before an older Stenocast is started; end all processes first.",
            metavar="VERSION",
        ),
    ] = "",
) -> None:
    """Make the ledger, or bring its schema up to date. A second run changes nothing.

    Every process does that too when it starts: this command is for upgrades that want it done, or failed, before any
    of them is replaced.
    """
    from adapters.settings import read_settings
    from adapters.wiring import newest_schema, open_ledger, take_schema_back

    if to:
        print(f"the ledger's schema is {take_schema_back(read_settings(), to) or 'not made yet'}")
        return
    open_ledger(read_settings())
    print(f"the ledger's schema is {newest_schema()}")
