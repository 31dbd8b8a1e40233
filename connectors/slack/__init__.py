"""Slack: direct messages with buttons, their preview, and what Slack's refusals mean."""
