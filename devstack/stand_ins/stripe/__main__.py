"""Serves the stand-in as a process: python -m devstack.stand_ins.stripe --port 8010."""

import argparse

from devstack.stand_ins.doors import serve
from devstack.stand_ins.keeping import StateError
from devstack.stand_ins.service_token import add_state_option
from devstack.stand_ins.stripe.account import API_VERSION, Account
from devstack.stand_ins.stripe.app import create_app

PORT = 8010


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m devstack.stand_ins.stripe", description=__doc__)
    parser.add_argument("--port", type=int, default=PORT, help="0 takes a free one (default: %(default)s)")
    parser.add_argument("--webhook-url", help="an endpoint that receives every event from the start")
    parser.add_argument("--webhook-secret", help="the signing secret of that endpoint, whsec_…")
    parser.add_argument("--api-version", default=API_VERSION, help="default: %(default)s")
    parser.add_argument("--seed", help="the same seed gives the same ids")
    add_state_option(parser)
    given = parser.parse_args()
    try:
        account = Account(
            webhook_url=given.webhook_url,
            webhook_secret=given.webhook_secret,
            api_version=given.api_version,
            seed=given.seed,
            state=given.state,
        )
    except StateError as unusable:
        raise SystemExit(str(unusable)) from unusable
    serve(create_app(account), given.port, on_stop=account.close)


if __name__ == "__main__":
    main()
