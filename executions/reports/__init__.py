"""Readers of test reports: streams of bytes in, one `CaseOutcome` per try of a test out.

Nothing here knows Django or the database.  `open_reports` is the way in for everything that was
uploaded, packed or not; `read` reads one report that is already unpacked.
"""
