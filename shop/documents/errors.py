"""Why a document is not issued or a mail is not sent."""

from shop.errors import NotFound, NotYet, Rejected


class NothingToDocument(NotFound):
    """The order, refund or report that the document would be about does not exist."""


class NothingCaptured(Rejected):
    """An invoice is for money received; before that it would be a claim with a number."""

    code = "nothing_captured"


class RefundNotDone(Rejected):
    """A credit note says that money went back, so it has to have gone."""

    code = "refund_not_done"


class CreditTooLarge(Rejected):
    """More would be credited than was invoiced: somebody has to look at this order."""

    code = "credit_too_large"


class UnknownKindOfMail(Rejected):
    code = "unknown_mail_kind"
    status = 422


class NotDrawn(NotYet):
    """It is issued, and its paper is still being drawn."""

    code = "document_not_drawn"


class BeingSent(NotYet):
    """Another run has this mail in its hands, or died with it a moment ago."""

    code = "mail_being_sent"


class MailSent(Rejected):
    """It arrived at its server once; nothing is sent twice."""

    code = "mail_sent"
