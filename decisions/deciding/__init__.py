"""One batch of signals in, one verdict a subject out: gate, rules, arms, limits, routes."""
