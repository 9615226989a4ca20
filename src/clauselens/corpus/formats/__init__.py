"""Text and structure of pages, Markdown, PDF and Word files. Text is text: nothing is run."""
