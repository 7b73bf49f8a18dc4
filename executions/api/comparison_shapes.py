"""How comparisons look over HTTP, for the description of the API."""

from __future__ import annotations

from rest_framework import serializers

from access.api.camel import CamelSerializer


class PartSerializer(CamelSerializer):
    """One part of two runs' time, in seconds per workflow; null with a reason where it can't be said."""

    base = serializers.FloatField(allow_null=True, help_text="Median (of retries the mean).")
    head = serializers.FloatField(allow_null=True)
    difference = serializers.FloatField(allow_null=True, help_text="The shift from base to head.")
    ratio = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True, help_text="Of the difference's 95 % interval.")
    high = serializers.FloatField(allow_null=True)
    verdict = serializers.ChoiceField(choices=["faster", "same", "slower", "not enough data"])
    smallest = serializers.FloatField(
        allow_null=True, help_text="The shift that would have been found in four of five times."
    )
    n = serializers.ListField(child=serializers.IntegerField(), help_text="Of base and head.")
    reason = serializers.CharField(allow_null=True)


class PartsSerializer(CamelSerializer):
    """Where the time went."""

    queue = PartSerializer()
    setup = PartSerializer()
    execution = PartSerializer()
    total = PartSerializer()
    retries = PartSerializer()
    lost_parallelism = PartSerializer()


class DifferenceSerializer(CamelSerializer):
    """What else was different, in words."""

    name = serializers.CharField()
    base = serializers.CharField()
    head = serializers.CharField()


class ChangeSerializer(CamelSerializer):
    """One test that changed; durations in seconds."""

    case_id = serializers.IntegerField(source="case")
    nodeid = serializers.CharField()
    suite = serializers.CharField()
    base = serializers.SerializerMethodField()
    head = serializers.SerializerMethodField()
    base_duration = serializers.FloatField(allow_null=True)
    head_duration = serializers.FloatField(allow_null=True)
    ratio = serializers.FloatField(allow_null=True)

    def get_base(self, row: object) -> str | None:
        """Its outcome; null where it did not run."""
        return getattr(row, "base", "") or None

    def get_head(self, row: object) -> str | None:
        return getattr(row, "head", "") or None


class PairSerializer(CamelSerializer):
    """One run against the base: its times, and its tests one by one."""

    head = serializers.CharField()
    answer = serializers.CharField()
    share_of_queueing = serializers.FloatField(allow_null=True)
    times = PartsSerializer()
    differences = DifferenceSerializer(many=True)
    newly_failing = ChangeSerializer(many=True)
    fixed = ChangeSerializer(many=True)
    added = ChangeSerializer(many=True)
    removed = ChangeSerializer(many=True)
    slower = ChangeSerializer(many=True)
    faster = ChangeSerializer(many=True)
    still_failing = ChangeSerializer(many=True)
    added_failing = ChangeSerializer(many=True)


class PlaceSerializer(CamelSerializer):
    """One run in the order from fastest to slowest, by its total time against the base."""

    place = serializers.IntegerField(allow_null=True)
    test_run_id = serializers.CharField()
    difference = serializers.FloatField(allow_null=True)
    ratio = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    verdict = serializers.CharField(allow_null=True, help_text="Null for the base.")


class ComparisonSerializer(PairSerializer):
    """The first `head` against `base`; with several, `others` holds the rest in the same shape."""

    base = serializers.CharField()
    base_runs = serializers.ListField(
        child=serializers.CharField(), default=list, help_text="Of branches or spaces: the runs looked at."
    )
    head_runs = serializers.ListField(child=serializers.CharField(), default=list)
    ranking = PlaceSerializer(many=True)
    others = PairSerializer(many=True)
