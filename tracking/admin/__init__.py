"""Curation of what can be run, and of what has run."""

from tracking.admin import curated, history, runs, versions
from tracking.admin.history import HistoryAdmin

__all__ = ["HistoryAdmin", "curated", "history", "runs", "versions"]
