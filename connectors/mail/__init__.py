"""Messages to people as e-mail, handed to one SMTP server."""
