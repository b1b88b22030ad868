"""`python -m tieup` is the `tieup` command."""

from tieup.cli import main

if __name__ == "__main__":  # worker processes import this module under another name
    main()
