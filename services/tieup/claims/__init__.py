"""Extraction: what one article states, as relations with kind, stage, factuality, claims, origin and evidence."""
