"""Who is who: people, roles, cover, and who stands in when somebody is away."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Annotated, Self
from zoneinfo import ZoneInfo

import holidays as public_holidays
from pydantic import AfterValidator, Field, model_validator

from decisions.definition import Owners, Part
from decisions.worktime import WorkingHours

LONGEST_COVER_CHAIN = 5
"""How many stand-ins may follow one another before the chain is refused."""
