"""When things run, and what is wired to what; the command line."""

import gc
import os

# Modules and rows are kept, not dropped in circles: to look for circles at every 700th object took
# a tenth of the time that starting takes.
gc.set_threshold(50_000, 20, 20)

# Nobody here multiplies matrices that would keep two cores busy, and numpy, which Arrow brings
# along, starts its threads when it is imported: a fortieth of a run over a million rows.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
