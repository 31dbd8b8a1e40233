"""When things run, and what is wired to what; the command line."""

import gc

# Modules and rows are kept, not dropped in circles: to look for circles at every 700th object took
# a tenth of the time that starting takes.
gc.set_threshold(50_000, 20, 20)
