"""Compare results: tables, figures, paired tests, and a page for the browser."""
