-- Invoices, credit notes and mails as they were issued.
SELECT 1;
