"""Where people answer: the owners' pages and Slack's replies."""
