"""Self-contained HTML pages: one file, no network, text from documents always shown as text."""
