"""What a Slack connection is told in ``connections.yaml``."""

from pydantic import BaseModel, ConfigDict, Field, SecretStr

SLACK_API = "https://slack.com/api/"


class SlackConfig(BaseModel):
    """A Slack app installed in one workspace.

    Attributes:
        token: The app's bot token. None draws messages instead of sending them.
        signing_secret: Proves that an answer comes from Slack. Without it none is taken over HTTP.
        app_token: Opens Socket Mode, by which answers come without an address Slack can reach.
        base_url: Where Slack's API is; another address only for tests.
    """

    # A token must not be quoted back when another key of the same connection is wrong.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    token: SecretStr | None = Field(description="The bot token, as ${SLACK_BOT_TOKEN}.")
    signing_secret: SecretStr | None = Field(
        default=None, description="The app's signing secret, as ${SLACK_SIGNING_SECRET}."
    )
    app_token: SecretStr | None = Field(
        default=None, description="The app-level token, as ${SLACK_APP_TOKEN}: Socket Mode."
    )
    base_url: str = Field(default=SLACK_API, description="Where Slack's API is.")
