"""Each test, and how it went each time: cases, reports, results, and what is counted of them."""

from executions.models.cases import TestCase
from executions.models.reports import IdempotencyKey, Report
from executions.models.results import Flag, Outcome, Result, ResultPack, ResultSet, ResultText
from executions.models.statistics import CaseArchive, CaseStatistics, SameCode
from executions.models.synced import CISync, SyncedRun

__all__ = [
    "CISync",
    "CaseArchive",
    "CaseStatistics",
    "Flag",
    "IdempotencyKey",
    "Outcome",
    "Report",
    "Result",
    "ResultPack",
    "ResultSet",
    "ResultText",
    "SameCode",
    "SyncedRun",
    "TestCase",
]
