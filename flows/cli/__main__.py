"""The command line as ``python -m flows.cli``, for where the program is not installed."""

import sys

from flows.cli import main

if __name__ == "__main__":
    sys.exit(main())
