"""The command line ``followthrough``.

Modules here are light when imported: what is heavy is imported where a command needs it, so that
``--help`` answers at once.
"""

from flows.cli.app import command, main

__all__ = ["command", "main"]
