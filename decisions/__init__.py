"""What is asked, of whom, by when, and whether it helped; no network, no Prefect, no Slack."""
