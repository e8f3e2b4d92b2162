"""Run the mailbox: `python -m devstack.stand_ins.mail --port 8011 --smtp-port 8025`."""

import argparse

from devstack.stand_ins.doors import serve
from devstack.stand_ins.keeping import open_or_exit
from devstack.stand_ins.mail.app import create_mail
from devstack.stand_ins.service_token import add_state_option


def main() -> None:
    """Read the command line and serve until told to stop."""
    parser = argparse.ArgumentParser(description="The mailbox: takes every mail, sends none on")
    parser.add_argument("--port", type=int, default=8011, help="HTTP; 0 takes a free one (default 8011)")
    parser.add_argument("--smtp-port", type=int, default=8025, help="0 takes a free one (default 8025)")
    add_state_option(parser)
    given = parser.parse_args()
    keeping = open_or_exit(given.state)
    mail = create_mail(smtp_port=given.smtp_port, keeping=keeping)
    try:
        port = mail.start()
    except OSError as taken:
        raise SystemExit(f"cannot take mail on port {given.smtp_port}: {taken}") from taken
    print(f"taking mail on smtp://127.0.0.1:{port}", flush=True)

    def stop() -> None:
        mail.stop()
        keeping.close()

    serve(mail.app, given.port, on_stop=stop)


main()
