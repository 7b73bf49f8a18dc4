"""By what optimizations, comparisons and changes are found."""

from __future__ import annotations

import django_filters

from performance.models import ChangePoint, Comparison


class OptimizationFilter(django_filters.FilterSet):
    """`workload` and `verdict`."""

    workload = django_filters.CharFilter(field_name="workload__name")
    verdict = django_filters.CharFilter()


class ComparisonFilter(django_filters.FilterSet):
    """`workload` and `status`."""

    workload = django_filters.CharFilter(field_name="workload__name")
    status = django_filters.ChoiceFilter(choices=Comparison.Status.choices)


class ChangeFilter(django_filters.FilterSet):
    """`workload`, `metric`, `state` and `isAlarm`."""

    workload = django_filters.CharFilter(field_name="workload__name")
    metric = django_filters.CharFilter()
    state = django_filters.ChoiceFilter(choices=ChangePoint.State.choices)
    isAlarm = django_filters.BooleanFilter(field_name="is_alarm")
