"""Records test sessions and sends them to a Runtrail server; the standard library and pytest only."""

__version__ = "0.1.0"
