"""One file per outside service; the words of vendors stop here."""
