"""Make or change a workload: the row, and the definition that its runs belong to."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from access.models import Project
from performance.hosts import read_target
from performance.models import TargetHost, Workload, host_validator
from performance.placeholders import names_in
from performance.specification import FaultySpec, LoadSpec, read_spec
from performance.specified import BUILT_IN_NAMES
from tracking.models import TestDefinition
from tracking.plan import NotRunnable

KIND = "workload"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,49}\Z")
_LOAD = ("spec", "target", "generator", "locustfile")  # what makes it another load


def save_workload(
    project: Project,
    name: str,
    *,
    generators: list[str],
    now: datetime,
    is_from_shell: bool = False,
    **fields: Any,
) -> tuple[Workload, bool]:
    """Store the workload `name` of `project`; return it and whether it is new.

    A changed load gets the next version, so that runs before and after are not taken for the same.

    Args:
        generators: the names of those that this installation has.
        is_from_shell: only a person at the machine may give a `locustfile`, which is code.
        fields: target, spec and environment; and generator, description, locustfile, same_within, and
            secrets as a dictionary.

    Raises:
        FaultySpec: with every fault; nothing was stored.
        NotRunnable: the name belongs to something else.
    """
    faults = [] if _NAME.match(name) else [f"name: {name!r} may have small letters, digits and hyphens."]
    secrets = fields.pop("secrets", None)
    wanted = {"generator": "open_loop", **fields}
    faults += _faults_of(wanted, generators, is_from_shell)
    if faults:
        raise FaultySpec(faults)
    if secrets is not None:
        wanted["secrets"] = json.dumps({str(key): str(value) for key, value in secrets.items()})
    with transaction.atomic():
        workload = Workload.objects.select_for_update().filter(project=project, name=name).first()
        if workload is not None:
            _change(workload, wanted)
            return workload, False
        definition = definition_of(project, name, now)
        fields = {"definition": definition, "created_at": now, **wanted}
        return Workload.objects.create(project=project, name=name, **fields), True


def name_host(project: Project, host: str, *, by: str, note: str = "") -> tuple[TargetHost, bool]:
    """Name `host` as the project's own; return it and whether it is new.

    Raises:
        FaultySpec: it is no host.
    """
    host = host.strip().lower()
    if not re.search(host_validator.regex, host):
        raise FaultySpec([f"{host!r}: {host_validator.message}"])
    try:
        TargetHost(project=project, host=host).clean()
    except ValidationError as problem:
        raise FaultySpec([f"{host!r}: {problem.messages[0]}"]) from None
    return TargetHost.objects.get_or_create(
        project=project, host=host, defaults={"note": note, "added_by": by[:255]}
    )


def secrets_of(workload: Workload) -> dict[str, str]:
    """The values that the workload's secret names stand for."""
    return dict(json.loads(workload.secrets)) if workload.secrets else {}


def demand_names(spec: LoadSpec, known: set[str], headers: dict[str, str]) -> None:
    """Refuse a load that uses names or a secret which stand for nothing, or names which stand for two things.

    Raises:
        FaultySpec: with every such name.
    """
    given = BUILT_IN_NAMES | set(spec.data.rows[0] if spec.data.rows else ())
    used = names_in(*headers.values()).union(
        *(names_in(one.path, one.body, *one.headers.values()) for one in spec.requests)
    )
    faults = [
        f"{{{{{name}}}}}: a variable of the component or a secret has this name, and so has something that "
        "differs from request to request; rename one of them."
        for name in sorted(used & known & given)
    ]
    known = known | given
    faults += [
        f"requests[{number}]: {{{{{name}}}}} stands for nothing; it can be a key of data.rows, a variable of "
        "the component or a secret of the workload."
        for number, request in enumerate(spec.requests)
        for name in sorted(names_in(request.path, request.body, *request.headers.values()) - known)
    ]
    faults += [
        f"headers: {{{{{name}}}}} stands for nothing." for name in sorted(names_in(*headers.values()) - known)
    ]
    if spec.auth.kind != "none" and spec.auth.secret not in known:
        faults.append(f"auth.secret: the workload has no secret {spec.auth.secret!r}.")
    if spec.workers and "join" not in known:
        faults.append("workers: other machines join by a secret called `join`; the workload has none.")
    if faults:
        raise FaultySpec(faults)


def _change(workload: Workload, wanted: dict[str, Any]) -> None:
    if not workload.is_archived and all(getattr(workload, key) == value for key, value in wanted.items()):
        return
    workload.version += any(getattr(workload, key) != value for key, value in wanted.items() if key in _LOAD)
    for key, value in wanted.items():
        setattr(workload, key, value)
    workload.is_archived = False
    workload.save()
    TestDefinition.objects.filter(pk=workload.definition_id).update(version=workload.version)


def _faults_of(wanted: dict[str, Any], generators: list[str], is_from_shell: bool) -> list[str]:
    faults: list[str] = []
    own = wanted.get("locustfile") or ""
    checks = (
        lambda: read_target(wanted["target"]),
        lambda: read_spec(wanted["spec"], own_locustfile=bool(own)),
    )
    for check in checks:
        try:
            check()
        except FaultySpec as faulty:
            faults += faulty.faults
    if wanted["generator"] not in generators:
        faults.append(f"generator: must be one of {', '.join(generators)}, not {wanted['generator']!r}.")
    if own and not is_from_shell:
        faults.append("locustfile: is code, so it is taken only from a shell: `workload load FILE`.")
    if own and wanted["generator"] != "locust":
        faults.append('locustfile: needs generator = "locust".')
    return faults


def definition_of(project: Project, name: str, now: datetime) -> TestDefinition:
    """Return the definition that a workload's runs belong to; made where there is none.

    Raises:
        NotRunnable: the name is none, or belongs to something else.
    """
    if not _NAME.match(name):
        raise NotRunnable(f"The name {name!r} may have small letters, digits and hyphens only.")
    definition, is_new = TestDefinition.objects.get_or_create(
        project=project,
        name=name,
        defaults={"kind": KIND, "test_type": name, "created_at": now, "description": "A workload."},
    )
    if not is_new and definition.kind != KIND:
        raise NotRunnable(f"{project} has a test profile {name!r} already; give the workload another name.")
    return definition
