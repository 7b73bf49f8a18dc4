"""Forms of the performance pages."""

from __future__ import annotations

from typing import Any

from django import forms

from access.models import Project
from performance.models import ChangePoint, Component, Workload
from performance.track import FEWEST_ROUNDS, MOST_ROUNDS

COMMIT = {"invalid": "A commit is 7 to 40 digits from 0 to 9 and a to f."}


class LoadForm(forms.Form):
    """Which component, and of which code."""

    component = forms.ModelChoiceField(
        Component.objects.none(),
        required=False,
        empty_label="the workload's own target",
        error_messages={"invalid_choice": "There is no such component."},
    )
    branch = forms.CharField(max_length=255, required=False)
    commit = forms.RegexField(r"^[0-9a-fA-F]{7,40}$", required=False, error_messages=COMMIT)

    def __init__(self, *args: Any, workload: Workload, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["component"]
        field.queryset, field.to_field_name = workload.components.all(), "name"

    def clean_commit(self) -> str:
        return str(self.cleaned_data["commit"]).lower()


class TrackForm(forms.Form):
    """Which load goes through all phases."""

    workload = forms.ModelChoiceField(
        Workload.objects.none(),
        empty_label=None,
        to_field_name="name",
        error_messages={
            "invalid_choice": "There is no such workload.",
            "required": "Choose a workload first.",
        },
    )
    rounds = forms.IntegerField(
        min_value=FEWEST_ROUNDS,
        max_value=MOST_ROUNDS,
        error_messages={"required": "Say how many rounds."},
    )

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["workload"]
        field.queryset = Workload.objects.of(project).in_use().with_all().order_by("name")


class DecisionForm(forms.Form):
    """What is made of a change of level."""

    state = forms.ChoiceField(choices=ChangePoint.State.choices)
    note = forms.CharField(max_length=2000, required=False)
    commit = forms.RegexField(r"^[0-9a-fA-F]{7,40}$", required=False, error_messages=COMMIT)

    def clean_commit(self) -> str:
        return str(self.cleaned_data["commit"]).lower()
