"""The API of what runs, where, and how it went."""
