"""Invoices, credit notes and mails: what leaves the shop on paper, numbered without gaps and never changed."""
