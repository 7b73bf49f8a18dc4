"""A small web shop to put load on: threads, SQLite, Server-Timing, and switches that make it ill.

`python -m demo.target --port 8080 --slow database=0.05` starts it alone.  Standard library only.
"""
