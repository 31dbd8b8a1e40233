import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from decisions.errors import LedgerError
from flows.settings import Settings
from flows.signing import FILE, signing_key


def test_a_key_that_is_set_is_taken(tmp_path):
    settings = Settings(home=tmp_path / "home", secret="s" * 32)

    assert signing_key(settings) == "s" * 32
    assert not (tmp_path / "home").exists()


def test_a_key_is_drawn_once_and_kept_for_its_owner_alone(tmp_path):
    settings = Settings(home=tmp_path / "home")

    first, second = signing_key(settings), signing_key(settings)

    assert first == second
    assert stat.S_IMODE((tmp_path / "home" / FILE).stat().st_mode) == 0o600
    assert [file.name for file in (tmp_path / "home").iterdir()] == [FILE]


def test_two_that_begin_at_once_agree(tmp_path):
    settings = Settings(home=tmp_path / "home")

    with ThreadPoolExecutor(8) as pool:
        drawn = set(pool.map(lambda _: signing_key(settings), range(16)))

    assert len(drawn) == 1


def test_no_place_for_a_key_says_what_to_do(tmp_path):
    (tmp_path / "home").write_text("a file, no folder")

    with pytest.raises(LedgerError, match="set FOLLOWTHROUGH_SECRET"):
        signing_key(Settings(home=tmp_path / "home"))


def test_a_spoilt_key_is_not_used(tmp_path):
    (tmp_path / FILE).write_text("short")

    with pytest.raises(LedgerError, match="no signing key any more"):
        signing_key(Settings(home=tmp_path))
