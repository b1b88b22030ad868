"""One programming model, two logs: `base` is the contract, `sqlite` and `kafka` keep it, `runner` runs workers.

On either.
"""
