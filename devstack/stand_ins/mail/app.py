"""The mailbox's HTTP side, and the way of a mail from SMTP through the planned faults into the box."""

import json
from dataclasses import dataclass
from urllib.parse import quote

from flask import Flask, Response, jsonify, render_template, request

from devstack.stand_ins.doors import install_doors
from devstack.stand_ins.keeping import Keeping
from devstack.stand_ins.mail.mailbox import Attachment, Mailbox, Message
from devstack.stand_ins.mail.smtp import SmtpServer
from devstack.stand_ins.problems import ProblemError, install_problems, problem_body

ACCEPTED = "250 OK kept for reading"
# Pages run no script at all; a mail's own HTML may not even load a picture from elsewhere.
PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; frame-ancestors 'none'"
BODY_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
SHOWN_IN_PLACE = frozenset({"application/pdf", "image/png", "image/jpeg", "text/plain", "text/csv"})


@dataclass(frozen=True)
class Mail:
    """The mailbox as two servers: `app` for HTTP, and SMTP between `start` and `stop`."""

    app: Flask
    smtp: SmtpServer

    def start(self) -> int:
        """Begin to take mail and return the SMTP port; raises OSError when it is taken."""
        self.smtp.start()
        return self.smtp.port

    def stop(self) -> None:
        self.app.test_client().delete("/standin/faults")  # wakes what sleeps in a planned fault
        self.smtp.stop()


def create_mail(*, smtp_port: int = 8025, keeping: Keeping | None = None) -> Mail:
    """Return the mailbox, not yet listening; SMTP port 0 takes a free one.

    SMTP deliveries take planned faults too: `{"match": "SMTP *", "kind": "status", "status": 451}` refuses the next
    mail, `SMTP *ada@example.com*` the next to Ada; they are listed in `/standin/requests` with the method SMTP.
    """
    app, box = Flask(__name__), Mailbox(keeping)
    _add_routes(app, box)
    _add_pages(app, box)
    _add_delivery(app, box)
    install_problems(app)
    install_doors(app, box.clear, problem_body)
    return Mail(app, SmtpServer(lambda *mail: _deliver(app, *mail), smtp_port))


def _deliver(app: Flask, sender: str, recipients: tuple[str, ...], raw: bytes) -> str | None:
    """Send a mail through the application, where faults and the record of requests are at home."""
    path = "/" + quote(",".join(recipients), safe="@,+")
    envelope = {"X-Mail-From": json.dumps(sender), "X-Rcpt-To": json.dumps(recipients)}
    try:
        answer = app.test_client().open(path, method="SMTP", data=raw, headers=envelope, content_type="message/rfc822")
    except ConnectionAbortedError:  # a planned fault ended the connection
        return None
    if answer.status_code < 400:
        return ACCEPTED
    return f"{answer.status_code} refused on purpose"


def _add_delivery(app: Flask, box: Mailbox) -> None:
    @app.route("/<path:_recipients>", methods=["SMTP"])
    def take_mail(_recipients: str) -> tuple[str, int]:
        if "werkzeug.socket" in request.environ:
            raise ProblemError(405, "method_not_allowed", "mail comes by SMTP, not by HTTP")
        sender = json.loads(request.headers["X-Mail-From"])
        box.deliver(sender, tuple(json.loads(request.headers["X-Rcpt-To"])), request.get_data())
        return "", 204


def _add_routes(app: Flask, box: Mailbox) -> None:
    @app.get("/messages")
    def list_messages() -> Response:
        return jsonify({"data": [mail.as_json() for mail in box.newest_first(request.args.get("to"))]})

    @app.get("/messages/<message_id>")
    def show_message(message_id: str) -> Response:
        return jsonify(_known(box, message_id).as_json())

    @app.get("/messages/<message_id>/attachments/<path:name>")
    def show_attachment(message_id: str, name: str) -> Response:
        for attachment in _known(box, message_id).attachments:
            if attachment.name == name:
                return _file(attachment)
        raise ProblemError(404, "attachment_not_found", "this mail has no such attachment")


def _add_pages(app: Flask, box: Mailbox) -> None:
    @app.get("/")
    def list_page() -> Response:
        to = request.args.get("to", "").strip()
        mails = box.newest_first(to or None)
        return _page(render_template("mails.html", mails=mails, to=to), PAGE_POLICY)

    @app.get("/messages/<message_id>/html")
    def message_page(message_id: str) -> Response:
        return _page(render_template("mail.html", mail=_known(box, message_id)), PAGE_POLICY)

    @app.get("/messages/<message_id>/body")
    def message_body(message_id: str) -> Response:
        return _page(_known(box, message_id).html or "", BODY_POLICY)


def _known(box: Mailbox, message_id: str) -> Message:
    if message := box.find(message_id):
        return message
    raise ProblemError(404, "message_not_found", f"no mail {message_id}")


def _file(attachment: Attachment) -> Response:
    in_place = attachment.type in SHOWN_IN_PLACE
    answer = Response(attachment.content, content_type=attachment.type)
    name = quote(attachment.name)
    answer.headers["Content-Disposition"] = f"{'inline' if in_place else 'attachment'}; filename*=UTF-8''{name}"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def _page(html: str, policy: str) -> Response:
    answer = Response(html, mimetype="text/html")
    answer.headers["Content-Security-Policy"] = policy
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
