"""Where series of machines are read; `settings.METRIC_SOURCES` names the sources."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from performance.sources.base import MetricSource


@cache
def connect(name: str) -> MetricSource:
    """Return the source called `name`; KeyError where the settings know none of that name.

    Raises SourceRefused where it lacks a setting.  Imported here: the host's sampler needs no Django.
    """
    from django.conf import settings
    from django.utils.module_loading import import_string

    entry: Mapping[str, Any] = settings.METRIC_SOURCES[name]
    source: MetricSource = import_string(entry["BACKEND"])(**entry.get("OPTIONS", {}))
    return source
