"""The command line as ``python -m flows.cli``, for where the program is not installed."""

from flows.cli import command

if __name__ == "__main__":
    command()
