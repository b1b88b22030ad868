"""The demo's world: sample feeds at two moments, and a loopback server that publishes them.

Outlets, hosts and minor news are invented; the tie-ups retell public facts in our own words.
"""
