"""Other systems over signed HTTP, by the Standard Webhooks scheme: told by us, and telling us."""
