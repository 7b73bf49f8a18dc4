"""What a load is, in words and with its units, as its page shows it."""

from __future__ import annotations

from typing import Any

from dashboards.templatetags.durations import share


def load_in_words(spec: dict[str, Any]) -> list[tuple[str, str]]:
    """What a load says beside its requests, in words, as in ("arrival", "constant, rate 50 /s")."""
    return [(key.replace("_", " "), _words(value, key)) for key, value in spec.items() if key != "requests"]


def _words(value: Any, key: str = "") -> str:
    if isinstance(value, dict):
        # What lies in rows is the user's own: 5 there is no number of seconds.
        named = ((name, _words(one, "" if key == "rows" else name)) for name, one in value.items())
        return ", ".join(
            words if name == "kind" else f"{name.replace('_', ' ')} {words}" for name, words in named
        )
    if isinstance(value, list):
        return ", ".join(_words(one, key) for one in value[:10]) + (
            f" and {len(value) - 10} more" if len(value) > 10 else ""
        )
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float) and key == "error_share":
        return share(value)
    return "none" if value is None else f"{value}{_UNITS.get(key, '')}"


_SECONDS = (
    *("duration", "warmup", "timeout", "think_time", "step_duration", "spike_every", "spike_duration"),
    *("after", "p50", "p95", "p99"),
)
_UNITS = {
    **dict.fromkeys(_SECONDS, " s"),
    **dict.fromkeys(("rate", "to_rate", "rates", "spike_rate", "throughput"), " /s"),
    "size": " bytes",
}
