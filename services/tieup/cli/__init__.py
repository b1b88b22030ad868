"""The `tieup` command."""


def main() -> None:
    """Run the command."""
