"""What a running tieup tells over HTTP: health and metrics."""
