from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from prefect import Flow
from prefect.cli.deploy._models import PrefectYamlModel
from prefect.types.entrypoint import EntrypointType
from ruamel.yaml import YAML

from flows.serve import served
from flows.settings import Settings
from flows.timetable import Deployment, deployments
from flows.wiring import read_workspace

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def written() -> dict[str, dict[str, Any]]:
    """The deployments of prefect.yaml, by the name that Prefect gives them."""
    content = YAML(typ="safe").load(ROOT / "prefect.yaml")
    PrefectYamlModel.model_validate(content)
    return {
        f"{each['entrypoint'].rpartition('.')[2]}/{each['name']}": each
        for each in content["deployments"]
    }


@pytest.fixture(scope="module")
def planned() -> dict[str, Deployment]:
    """The deployments of the workspace that ships."""
    found = deployments(read_workspace(Settings()).decisions)
    return {each.full_name: each for each in found}


def test_prefect_yaml_deploys_what_the_shipped_workspace_needs(written, planned):
    assert written.keys() == planned.keys()


def test_prefect_yaml_keeps_the_schedules_of_the_shipped_workspace(written, planned):
    schedules = {
        name: [(schedule["cron"], schedule["timezone"]) for schedule in each["schedules"]]
        for name, each in written.items()
    }

    assert schedules == {name: [(each.cron, each.zone)] for name, each in planned.items()}


def test_prefect_yaml_passes_and_tags_what_serve_does(written, planned):
    told = {
        name: (each.get("parameters", {}), each.get("tags", [])) for name, each in written.items()
    }

    assert told == {name: (each.parameters, list(each.tags)) for name, each in planned.items()}


def test_every_entrypoint_is_a_flow_of_its_module(written):
    for deployment in written.values():
        module, _, name = deployment["entrypoint"].rpartition(".")
        assert isinstance(getattr(import_module(module), name), Flow)


def test_module_entrypoints_have_the_folder_they_need(written):
    [step] = YAML(typ="safe").load(ROOT / "prefect.yaml")["pull"]

    assert "prefect.deployments.steps.set_working_directory" in step


def test_what_is_served_has_a_module_as_its_entrypoint(planned):
    for deployment in planned.values():
        taken = served(deployment)

        assert taken.entrypoint == deployment.entrypoint
        assert taken.entrypoint_type is EntrypointType.MODULE_PATH
        assert taken.concurrency_limit == 1
