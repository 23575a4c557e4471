"""Calendar months: what begins on the 31st goes on at the end of shorter months, and on the 31st after them."""

from __future__ import annotations

import calendar
from datetime import datetime

from statuette.ports.payment import Interval

_MONTHS = {Interval.month: 1, Interval.year: 12}


def after(anchor: datetime, interval: Interval, count: int) -> datetime:
    """`count` intervals after `anchor`, at the same time of day."""
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + _MONTHS[interval] * count, 12)
    last_day = calendar.monthrange(year, month + 1)[1]
    return anchor.replace(year=year, month=month + 1, day=min(anchor.day, last_day))
