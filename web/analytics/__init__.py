"""Routes of events, figures, experiments and reports."""
