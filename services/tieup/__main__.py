"""`python -m tieup` is the `tieup` command."""

from tieup.cli import main

main()
