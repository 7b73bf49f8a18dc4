"""The timetable, one line per scheduled task; the scheduler copies it into the database."""

TIMETABLE = {
    "sweep-runs": {"task": "tracking.tasks.sweep_runs", "schedule": 5.0},  # seconds
    "sweep-deliveries": {"task": "tracking.tasks.sweep_deliveries", "schedule": 5.0},
    "start-scheduled": {"task": "tracking.tasks.start_scheduled", "schedule": 5.0},
    "sweep-workload-runs": {"task": "performance.tasks.sweep_workload_runs", "schedule": 5.0},
    "follow-workload-runs": {"task": "performance.tasks.follow_workload_runs", "schedule": 5.0},
    "sweep-series": {"task": "performance.tasks.sweep_series", "schedule": 15.0},
    "prune-runs": {"task": "executions.tasks.prune_runs", "schedule": 24 * 3600.0},
    "prune-deliveries": {"task": "tracking.tasks.prune_deliveries", "schedule": 3600.0},
}
