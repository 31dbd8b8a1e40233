from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from connectors.registry import connection_kinds, kinds
from connectors.slack.channel import SlackChannel
from connectors.slack.config import SlackConfig
from connectors.slack.preview import PreviewChannel
from connectors.warehouse.duckdb import DuckDBConfig
from decisions.errors import DecisionLayerError
from decisions.ports import Channel, Warehouse

PIGEON = """\
from pydantic import BaseModel

role = "channel"


class config(BaseModel):
    loft: str


def build(name, config, folder, clock):
    return f"{name} from {config.loft}"
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Installs a package whose entry point is what the test says."""

    def install(entry_point):
        (tmp_path / "larkfield_pigeon.py").write_text(PIGEON)
        about = tmp_path / "larkfield_pigeon-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: larkfield-pigeon\nVersion: 1\n"
        )
        (about / "entry_points.txt").write_text(f"[followthrough.connectors]\n{entry_point}\n")
        monkeypatch.syspath_prepend(tmp_path)

    return install


def clock():
    return datetime(2026, 11, 24, tzinfo=UTC)


def built(kind, **config):
    found = kinds()[kind]
    return found.build(kind, found.config(**config), Path(), clock)


def test_loading_a_workspace_learns_role_and_keys_of_each_type():
    known = connection_kinds()

    assert (known["slack"].role, known["slack"].config) == ("channel", SlackConfig)
    assert (known["duckdb"].role, known["duckdb"].config) == ("warehouse", DuckDBConfig)


def test_a_warehouse_is_built():
    assert isinstance(built("duckdb"), Warehouse)


def test_with_a_token_slack_is_slack():
    assert isinstance(built("slack", token="xoxb-1"), SlackChannel)


@pytest.mark.parametrize("token", [None, "", "  "], ids=["unset", "empty", "blank"])
def test_without_a_token_slack_is_a_preview(token):
    assert isinstance(built("slack", token=token), PreviewChannel)


def test_a_secret_may_be_unset_where_the_connector_does_without():
    assert kinds()["slack"].optional_secrets == {"token", "signing_secret", "app_token"}
    assert kinds()["duckdb"].optional_secrets == set()


@pytest.mark.parametrize("kind", ["slack"])
def test_what_is_built_fulfils_its_port(kind):
    assert isinstance(built(kind, token="xoxb-1"), Channel)


def test_the_token_must_be_thought_of():
    with pytest.raises(ValidationError, match="token"):
        SlackConfig()


def test_a_fault_in_the_config_quotes_no_secret():
    with pytest.raises(ValidationError) as caught:
        SlackConfig(token="xoxb-secret", signing_secret=7, base_ur="xoxb-secret")
    assert "xoxb-secret" not in str(caught.value)


def test_no_secret_is_shown():
    config = SlackConfig(token="xoxb-secret", signing_secret=SecretStr("hush"))

    assert "xoxb" not in repr(config)
    assert "hush" not in repr(config)


def test_an_installed_package_adds_a_type(installed):
    installed("pigeon = larkfield_pigeon")

    assert connection_kinds()["pigeon"].role == "channel"
    assert built("pigeon", loft="the roof") == "pigeon from the roof"


@pytest.mark.parametrize(
    ("entry_point", "said"),
    [
        pytest.param("slack = larkfield_pigeon", "ships with Followthrough already", id="taken"),
        pytest.param("owl = larkfield_owl", "cannot be used", id="missing"),
        pytest.param("pigeon = larkfield_pigeon:build", "cannot be used", id="not-a-kind"),
    ],
)
def test_a_package_that_cannot_be_used_is_named(installed, entry_point, said):
    installed(entry_point)

    with pytest.raises(DecisionLayerError, match=f"of larkfield-pigeon .*{said}"):
        kinds()
