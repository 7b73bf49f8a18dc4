"""Results of other tools, read into one form: load tests and benchmarks of code.

The format is told by the content, never by the file's name.  What has a line for each request is read line by
line, so that memory grows by eight bytes a request; gzip is unpacked on the way.
"""

from performance.imports.reading import read_results
from performance.imports.results import Imported, UnreadableResult

__all__ = ["Imported", "UnreadableResult", "read_results"]
