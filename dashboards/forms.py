"""Forms of the pages; they check shapes, the verbs check sense."""

from __future__ import annotations

import re
from typing import Any

from django import forms

from access.models import Project, Role, User, repository_validator
from access.time_zones import time_zones
from executions.models.synced import default_patterns, validate_patterns
from tracking.models import Environment, Schedule, TestDefinition


class StartForm(forms.Form):
    """Where, and of which code."""

    environment = forms.ModelChoiceField(
        Environment.objects.none(),
        empty_label=None,
        error_messages={"invalid_choice": "There is no such environment."},
    )
    branch = forms.CharField(max_length=255, required=False)
    commit = forms.RegexField(
        r"^[0-9a-fA-F]{7,40}$",
        required=False,
        error_messages={"invalid": "A commit is 7 to 40 digits from 0 to 9 and a to f."},
    )

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["environment"]
        field.queryset = Environment.objects.in_project(project)
        field.to_field_name = "name"
        self.fields["branch"].widget.attrs["placeholder"] = project.default_branch

    def clean_commit(self) -> str:
        return str(self.cleaned_data["commit"]).lower()


class TimeZoneForm(forms.Form):
    """The zone in which pages show times."""

    time_zone = forms.CharField(max_length=64)

    def clean_time_zone(self) -> str:
        name = str(self.cleaned_data["time_zone"])
        if name not in time_zones():
            raise forms.ValidationError(f"There is no time zone {name!r}. Write it as Europe/Berlin or UTC.")
        return name


class MemberForm(forms.Form):
    """Somebody who already has an account, and their role here."""

    username = forms.CharField(max_length=150)
    role = forms.ChoiceField(choices=Role.choices)

    def clean_username(self) -> User:
        name = str(self.cleaned_data["username"])
        user = User.objects.filter(username=name, is_active=True).first()
        if user is None:
            raise forms.ValidationError(
                f"There is no user {name!r}. An administrator makes one under /admin/."
            )
        return user


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=[*Role.choices, ("", "remove")], required=False)


class GitHubForm(forms.Form):
    """The repository of a project and what opens it; an empty secret leaves the old one."""

    repository = forms.CharField(max_length=200, required=False, validators=[repository_validator])
    default_branch = forms.CharField(max_length=255)
    token = forms.CharField(max_length=2000, required=False)
    webhook_secret = forms.CharField(max_length=500, required=False)
    forget = forms.BooleanField(required=False)
    every = forms.IntegerField(
        min_value=0,
        max_value=10_080,
        required=False,
        error_messages={"invalid": "Write a whole number of minutes; 0 is never."},
    )
    patterns = forms.CharField(max_length=5000, required=False)

    def clean_patterns(self) -> list[str]:
        found = [name for name in re.split(r"[\n,]+", str(self.cleaned_data["patterns"])) if name.strip()]
        patterns = [name.strip() for name in found] or default_patterns()
        validate_patterns(patterns)
        return patterns


class TokenForm(forms.Form):
    """A program's name, what it may do, and for how long."""

    told = (
        ("report", "start runs, report results"),
        ("read", "look"),
        ("admin", "everything in this project"),
    )
    name = forms.CharField(max_length=100)
    scope = forms.ChoiceField(choices=told, initial="report")
    days = forms.TypedChoiceField(
        coerce=int,
        empty_value="",
        required=False,
        choices=[("90", "for 90 days"), ("365", "for a year"), ("0", "until it is revoked")],
    )


class ScheduleForm(forms.ModelForm):
    """What runs where, and at which times."""

    class Meta:
        model = Schedule
        fields = ["definition", "environment", "branch", "cron", "time_zone"]

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.project = project
        for name, rows in (
            ("definition", TestDefinition.objects.in_project(project)),
            ("environment", Environment.objects.in_project(project)),
        ):
            field: Any = self.fields[name]
            field.queryset, field.to_field_name, field.empty_label = rows, "name", None
            field.error_messages["invalid_choice"] = f"There is no such {name}."
