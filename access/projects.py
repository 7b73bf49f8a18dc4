"""Make projects, and find the one that a command means."""

from __future__ import annotations

from access.models import Project


class UnknownProject(Exception):
    """No project of that name; the message says which there are."""


def project_named(slug: str | None) -> Project:
    """Return the project called `slug`; without one `default`, else the only one there is.

    Raises:
        UnknownProject: there is none of that name, or several and none is meant.
    """
    projects = list(Project.objects.all()[:20])
    names = ", ".join(project.slug for project in projects) or "none yet"
    wanted = slug or "default"
    for project in projects:
        if project.slug == wanted:
            return project
    found = Project.objects.filter(slug=wanted).first()
    if found:
        return found
    if slug is None and len(projects) == 1:
        return projects[0]
    if slug is None:
        if not projects:
            raise UnknownProject(
                "There is no project yet. `load_profiles FILE` makes the one that the file names."
            )
        raise UnknownProject(f"Say which project with --project. There are: {names}.")
    raise UnknownProject(f"There is no project {slug!r}. There are: {names}.")
