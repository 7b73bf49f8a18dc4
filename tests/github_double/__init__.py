"""A double of GitHub: one process, stateful, judged by GitHub's own API description.

`World` is what GitHub knows and does, on a clock that tests move; `Faults` is what goes wrong;
`Server` speaks HTTP for them; `judge` holds every request and answer against the description.
"""

from tests.github_double.faults import Faults
from tests.github_double.nouns import Behaviour
from tests.github_double.server import Server
from tests.github_double.world import World

__all__ = ["Behaviour", "Faults", "Server", "World"]
