"""Run the stand-in for Product: `python -m devstack.stand_ins.products --port 8002 --catalog shop.ndjson`."""

from pathlib import Path

from devstack.stand_ins.doors import serve
from devstack.stand_ins.keeping import open_or_exit
from devstack.stand_ins.products.app import create_app
from devstack.stand_ins.service_token import command_line


def main() -> None:
    """Read the command line and serve until told to stop."""
    parser = command_line("The stand-in for Product", 8002)
    parser.add_argument("--catalog", type=Path, help="NDJSON, one product a line, to begin with")
    given = parser.parse_args()
    keeping = open_or_exit(given.state)
    app = create_app(catalog_file=given.catalog, service_token=given.service_token, keeping=keeping)
    serve(app, given.port, on_stop=keeping.close)


main()
