"""When a line of cron comes next: five fields, read in a time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

FIELDS = (
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day of the month", 1, 31),
    ("month", 1, 12),
    ("weekday", 0, 7),
)
WORDS = {
    "month": ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    "weekday": ("sun", "mon", "tue", "wed", "thu", "fri", "sat"),
}
LONGEST = 366 * 8 + 2  # days between two 29ths of February around a year like 2100


@dataclass(frozen=True, slots=True)
class Cron:
    """The numbers that each field allows; weekdays count from Sunday, 0."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool  # either of the two day fields is a star, and then both must fit

    def next_after(self, moment: datetime, zone: ZoneInfo) -> datetime | None:
        """Return the first time after `moment`, in UTC; None where it never comes, as on 30 February.

        A time that the clock skips comes as much later as the clock jumped; one that the clock shows twice
        comes once, the first time.
        """
        first = moment.astimezone(zone).date()
        for offset in range(LONGEST):
            day = first + timedelta(days=offset)
            if day.month not in self.months or not self._fits(day.day, day.isoweekday() % 7):
                continue
            times = (datetime.combine(day, time(h, m), zone) for h in self.hours for m in self.minutes)
            later = [when for local in times if (when := local.astimezone(UTC)) > moment]
            if later:
                return min(later)
        return None

    def _fits(self, day: int, weekday: int) -> bool:
        fits = day in self.days, weekday in self.weekdays
        return all(fits) if self.any_day else any(fits)


def parse(line: str) -> Cron:
    """Read minute, hour, day of the month, month and weekday, as in crontab(5).

    Where neither day field begins with a star, one of the two has to fit.

    Raises:
        ValueError: with what is wrong and how it is written.
    """
    words = line.lower().split()
    if len(words) != len(FIELDS):
        raise ValueError(
            "Write five fields: minute, hour, day of the month, month, weekday, as in 30 2 * * 1-5."
        )
    minutes, hours, days, months, weekdays = (
        _field(word, *field) for word, field in zip(words, FIELDS, strict=True)
    )
    any_day = words[2].startswith("*") or words[4].startswith("*")
    return Cron(minutes, hours, days, months, frozenset(number % 7 for number in weekdays), any_day)


def _field(word: str, name: str, low: int, high: int) -> frozenset[int]:
    found: set[int] = set()
    for part in word.split(","):
        span, slash, step = part.partition("/")
        if slash and (not _is_number(step) or int(step) < 1):
            raise ValueError(f"The {name} {part!r} has no number after its slash, as in */5.")
        if span == "*":
            begin, end = low, high
        else:
            left, dash, right = span.partition("-")
            begin = _number(left, name, low, high)
            end = _number(right, name, low, high) if dash else high if slash else begin
        if begin > end:
            raise ValueError(f"The {name} {part!r} ends before it begins.")
        found.update(range(begin, end + 1, int(step) if slash else 1))
    return frozenset(found)


def _number(word: str, name: str, low: int, high: int) -> int:
    if word in WORDS.get(name, ()):
        return WORDS[name].index(word) + (name == "month")
    if not _is_number(word) or not low <= int(word) <= high:
        raise ValueError(f"The {name} {word!r} is no number from {low} to {high}.")
    return int(word)


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) <= 4
