"""tieup: one clean, exactly-once stream of automotive tie-ups from the world's feeds."""

__version__ = "0.1.0"
