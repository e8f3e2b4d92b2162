"""The mailbox: takes every mail by SMTP, sends none on, and shows what came to programs and people."""

from devstack.stand_ins.mail.app import Mail, create_mail

__all__ = ["Mail", "create_mail"]
