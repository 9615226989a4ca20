"""Errors that a user caused and can mend: one line that names the place and the remedy."""


class InputError(ValueError):
    """Bad input (a file, a row, a value, an option). The command prints it and exits with 2."""


class MissingExtraError(ImportError):
    """A part of the package needs an optional dependency that is not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs more packages: pip install 'clauselens[{extra}]'")


class OutputError(OSError):
    """An output cannot be written (a full disk). The command prints it and exits with 1."""
