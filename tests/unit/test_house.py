import hashlib
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
APACHE_2 = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
PIN = re.compile(r"[a-z0-9-]+==[^ ;*]+(?: ; .+)?")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
ADDRESS = re.compile(r"://|--(?:extra-)?index-url|--find-links|--trusted-host")
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:root|work|home|Users)/|/opt/(?:pypi|wheels)")
REGISTRY = re.compile(r"(?:pypi|pythonhosted|npmjs)\.org|(?:deb|security)\.debian\.org")


@pytest.fixture(scope="module")
def pins() -> list[list[str]]:
    """The lock's entries: the pin first, then its hashes."""
    lines = (ROOT / "requirements.lock").read_text().replace("\\\n", "\0").splitlines()
    return [
        [part.strip() for part in line.split("\0")] for line in lines if not line.startswith("#")
    ]


@pytest.fixture(scope="module")
def versions(pins: list[list[str]]) -> dict[str, list[str]]:
    """The locked versions of each package; more than one where Python's version decides."""
    found: dict[str, list[str]] = {}
    for pin, *_ in pins:
        name, version = pin.partition(" ")[0].split("==")
        found.setdefault(name, []).append(version)
    return found


def repository() -> list[Path]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    files = (ROOT / name for name in listing.stdout.split("\0") if name)
    return [file for file in files if file.is_file()]


def places(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for file in repository()
        for number, line in enumerate(file.read_bytes().decode(errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]


def test_the_lock_names_one_exact_version_a_line(pins):
    assert [pin for pin, *_ in pins if not PIN.fullmatch(pin)] == []


def test_every_locked_package_has_hashes_and_nothing_else(pins):
    careless = [
        pin
        for pin, *hashes in pins
        if not hashes or any(not HASH.fullmatch(text) for text in hashes)
    ]

    assert careless == []


def test_the_lock_says_nothing_about_where_packages_come_from():
    assert ADDRESS.findall((ROOT / "requirements.lock").read_text()) == []


def test_the_lock_meets_every_requirement_of_the_project(versions):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *project["dependency-groups"]["dev"],
    ]

    unmet = [
        str(requirement)
        for requirement in map(Requirement, wanted)
        for version in versions.get(canonicalize_name(requirement.name), ["none"])
        if version == "none" or version not in requirement.specifier
    ]

    assert unmet == [], "run make lock"


def test_make_explains_every_target():
    makefile = (ROOT / "Makefile").read_text()
    phony = makefile.partition("\n.PHONY: ")[2].partition("\n")[0].split()
    explained = re.findall(r"^([a-z-]+):.* ## [A-Z].+$", makefile, re.MULTILINE)

    assert sorted(explained) == sorted(phony)
    assert {"demo", "help", "lint", "lock", "serve", "test"} <= set(explained)


@pytest.mark.parametrize(
    "pattern",
    [pytest.param(MACHINE_PATH, id="machine-path"), pytest.param(REGISTRY, id="registry-host")],
)
def test_no_file_knows_the_machine_it_was_written_on(pattern):
    assert places(pattern) == []


def test_the_licence_is_the_whole_apache_licence():
    text = (ROOT / "LICENSE").read_bytes()

    assert hashlib.sha256(text).hexdigest() == APACHE_2
