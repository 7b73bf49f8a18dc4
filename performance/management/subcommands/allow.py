"""name a host as the project's own, so that load may be put on it"""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from performance.saving import name_host
from performance.specification import FaultySpec
from tracking.management.caller import caller_name


def add(parser: CommandParser) -> None:
    parser.add_argument("host", metavar="HOST", help="name or address, with :port only that port")
    parser.add_argument("--note", default="", help="why, for those who look later")


def run(command: Any, options: dict[str, Any]) -> None:
    project = command.project(options["project"])
    try:
        named, is_new = name_host(project, options["host"], by=caller_name(), note=options["note"][:255])
    except FaultySpec as faulty:
        raise CommandError(str(faulty)) from None
    if options["format"] == "json":
        return command.print_json({"project": project.slug, "host": named.host, "is_new": is_new})
    told = "is now one of" if is_new else "was already one of"
    return command.say(f"{named.host} {told} the hosts that {project} calls its own.")
