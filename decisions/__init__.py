"""What is asked, of whom, by when, and whether it helped; knows no network, no Prefect, no Slack."""
