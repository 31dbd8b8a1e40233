"""Did it work? Counts in, an honest report out; numbers only, no database and no rendering.

``evidence`` is what the ledger counts, ``report.compose`` makes of it what may be said.
"""
