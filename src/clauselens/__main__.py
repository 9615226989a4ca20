"""``python -m clauselens`` is the command ``clauselens``."""

from clauselens.cli.main import main

if __name__ == "__main__":
    main()
