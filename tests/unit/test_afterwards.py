import logging
import threading
import time
from datetime import timedelta

import pytest

from inbox.afterwards import Afterwards


@pytest.fixture
def after():
    return Afterwards()


class Done:
    """What was done, in its order."""

    def __init__(self):
        self.names = []
        self._changed = threading.Condition()

    def named(self, name):
        def act():
            with self._changed:
                self.names.append(name)
                self._changed.notify_all()

        return act

    def within(self, count, seconds=5):
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.names) >= count, seconds), self.names
        return self.names


def test_everything_is_done_in_the_order_in_which_it_came(after):
    done = Done()

    with after.answering():
        after.add({"a": done.named("a"), "b": done.named("b")})
        after.add({"c": done.named("c")})

    assert done.within(3) == ["a", "b", "c"]


def test_what_is_asked_for_again_before_it_was_done_is_done_once_the_newer_way(after):
    done = Done()

    with after.answering():
        after.add({"home": done.named("old home")})
        after.add({"home": done.named("new home"), "end": done.named("end")})

    assert done.within(2) == ["new home", "end"]


def test_nothing_is_done_while_somebody_waits_for_an_answer(after):
    done = Done()

    with after.answering():
        after.add({"a": done.named("a")})
        time.sleep(0.05)
        assert done.names == []

    assert done.within(1) == ["a"]


def test_under_a_load_without_end_it_is_done_all_the_same(after):
    done = Done()

    with after.answering():
        after.add({"a": done.named("a")})
        done.within(1)

    assert done.names == ["a"]


def test_one_thing_that_fails_keeps_no_other_from_being_done(after, caplog):
    done = Done()

    def fails():
        raise RuntimeError("no good")

    with caplog.at_level(logging.ERROR):
        after.add({"fails": fails, "a": done.named("a")})
        done.within(1)

    assert "what follows an answer was not done" in caplog.text


def test_the_thread_ends_without_work_and_another_begins_with_it():
    after, done = Afterwards(lingers=timedelta(milliseconds=10)), Done()
    after.add({"a": done.named("a")})
    done.within(1)
    time.sleep(0.1)

    after.add({"b": done.named("b")})

    assert done.within(2) == ["a", "b"]
