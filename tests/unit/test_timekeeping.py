from datetime import timedelta

import pytest

from flows.timekeeping import ahead
from tests.samples import MONDAY


@pytest.mark.parametrize(
    ("later", "said"),
    [
        pytest.param(timedelta(minutes=-1), None, id="behind"),
        pytest.param(timedelta(minutes=5), None, id="as-clocks-differ"),
        pytest.param(timedelta(minutes=6), "0.1 h ahead of this machine's clock", id="more"),
        pytest.param(timedelta(days=29), "29.0 days ahead of this machine's clock", id="a-month"),
    ],
)
def test_a_ledger_ahead_of_the_machine_is_told_with_how_far(later, said):
    told = ahead(MONDAY + later, MONDAY)

    assert (said in told) if said else told is None
