"""Run the stand-in for Auth: `python -m devstack.stand_ins.auth --port 8001`."""

from pathlib import Path

from devstack.stand_ins.auth.app import create_app
from devstack.stand_ins.doors import serve
from devstack.stand_ins.keeping import open_or_exit
from devstack.stand_ins.service_token import command_line


def main() -> None:
    """Read the command line and serve until told to stop."""
    parser = command_line("The stand-in for Auth", 8001)
    parser.add_argument("--key-file", type=Path, help="where the signing keys are kept between runs")
    parser.add_argument("--issuer", default="http://127.0.0.1:8001", help="the `iss` of the tokens")
    parser.add_argument("--audience", default="backroom", help="the `aud` of the tokens")
    given = parser.parse_args()
    keeping = open_or_exit(given.state)
    app = create_app(
        issuer=given.issuer,
        audience=given.audience,
        key_file=given.key_file,
        service_token=given.service_token,
        keeping=keeping,
    )
    serve(app, given.port, on_stop=keeping.close)


main()
