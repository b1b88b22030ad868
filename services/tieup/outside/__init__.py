"""What every shell that speaks to the web needs: the address guard, and lenient reading of response headers."""
