"""The catalogue's command line.

    python -m catalog init-db                       create the tables and stock the shop
    python -m catalog serve [module:attribute]      serve a node, with the server that CATALOG_SERVER names

`init-db` may be run again, and by two at once: a shop that has products is left as it is.
"""

from __future__ import annotations

import os
import sys

from catalog.serving import serve

USAGE = "usage: python -m catalog init-db | serve [module:attribute]"


def main(arguments: list[str]) -> int:
    """Run one command; return the exit code: 0, 1 for a failure, 2 for a command that is not known."""
    match arguments:
        case ["init-db"]:
            return initialise_database()
        case ["serve", *application] if len(application) <= 1:
            serve(*application)
            return 0
        case _:
            print(USAGE, file=sys.stderr)
            return 2


def initialise_database() -> int:
    """Set the database up; return the exit code."""
    from sqlalchemy.exc import SQLAlchemyError  # here, because `serve` may become another program at once

    from catalog.errors import BadSettings
    from catalog.seed import initialise
    from catalog.settings import database_url

    try:
        url = database_url(os.environ)
        added = initialise(url)
    except BadSettings as error:
        print(f"catalog: {error}", file=sys.stderr)
        return 1
    except (SQLAlchemyError, TimeoutError) as error:
        reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        print(f"catalog: {url.render_as_string()} can't be set up: {reason}", file=sys.stderr)
        return 1
    print(f"{url.render_as_string()}: {f'{added} products added' if added else 'has its products already'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
