"""`stenocast api`: the HTTP door alone, for installations whose workers run elsewhere."""

from __future__ import annotations

from typing import Annotated

import typer


def api(
    host: Annotated[str, typer.Option(help="Listen here.", show_default="127.0.0.1")] = "",
    port: Annotated[
        int | None, typer.Option(help="Listen on this port; 0 picks a free one.", show_default="8080")
    ] = None,
) -> None:
    """Serve the API and the page without a worker. Any number may run beside each other on one ledger and store."""
    from dataclasses import replace

    from adapters.settings import read_settings
    from cli.embedded import serve_api

    settings = read_settings()
    port = settings.port if port is None else port
    serve_api(replace(settings, host=host or settings.host, port=port))
