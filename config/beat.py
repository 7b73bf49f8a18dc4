"""The timetable, one line per scheduled task; the scheduler copies it into the database."""

TIMETABLE = {
    "sweep-runs": {"task": "tracking.tasks.sweep_runs", "schedule": 5.0},  # seconds
    "sweep-deliveries": {"task": "tracking.tasks.sweep_deliveries", "schedule": 5.0},
    "start-scheduled": {"task": "tracking.tasks.start_scheduled", "schedule": 5.0},
    "sweep-exclusions": {"task": "executions.tasks.sweep_exclusions", "schedule": 5.0},
    "sync-ci": {"task": "executions.tasks.sync_due", "schedule": 60.0},
    "sweep-uploads": {"task": "executions.tasks.sweep_uploads", "schedule": 600.0},
    "sweep-batch-jobs": {"task": "batches.tasks.sweep_jobs", "schedule": 10.0},
    "follow-workload-runs": {"task": "performance.tasks.follow_workload_runs", "schedule": 5.0},
    "sweep-series": {"task": "performance.tasks.sweep_series", "schedule": 15.0},
    "sweep-tracks": {"task": "performance.tasks.sweep_tracks", "schedule": 5.0},
    "prune-runs": {"task": "executions.tasks.prune_runs", "schedule": 24 * 3600.0},
    "forget-sessions": {"task": "access.tasks.forget_sessions", "schedule": 24 * 3600.0},
    "prune-deliveries": {"task": "tracking.tasks.prune_deliveries", "schedule": 3600.0},
}

# What does not go to the queue `follow`.
ROUTES = {
    "tracking.tasks.drive_run": {"queue": "dispatch"},
    "executions.tasks.sync_project": {"queue": "ingest"},
    "executions.tasks.take_results": {"queue": "ingest"},
    "executions.tasks.take_upload": {"queue": "ingest"},
}
