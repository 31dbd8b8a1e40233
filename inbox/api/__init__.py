"""The API: what programs ask and hand in, through the same domain functions as people."""

from inbox.api.app import API, create_api

__all__ = ["API", "create_api"]
