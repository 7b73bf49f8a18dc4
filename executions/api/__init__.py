"""The API of results, reports and statistics."""
