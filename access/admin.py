"""Curation of users, projects and tokens; secrets go in and never come out."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from access import tokens
from access.logins import AdminLoginForm
from access.models import ApiToken, AuditEntry, Membership, Project, User

admin.site.site_header = "Runtrail"
admin.site.site_title = "Runtrail"
admin.site.index_title = "Curation"
admin.site.login_form = AdminLoginForm


class SecretsForm(forms.ModelForm):
    """A stored secret is never shown; a field left empty keeps it, a dash removes it."""

    SECRETS = ("github_token", "webhook_secret")

    class Meta:
        model = Project
        fields = ["slug", "name", "repository", "default_branch", "github_token", "webhook_secret"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["slug"].disabled = True
            self.fields["slug"].help_text = "It can't be changed: archives and addresses are named by it."
        for name in self.SECRETS:
            is_set = bool(getattr(self.instance, name, None))
            self.initial.pop(name, None)
            self.fields[name] = forms.CharField(
                required=False,
                widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
                help_text=("One is stored. " if is_set else "None is stored. ")
                + "Leave it empty to keep that; a single - removes it.",
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for name in self.SECRETS:
            typed = cleaned.get(name)
            cleaned[name] = None if typed == "-" else typed or getattr(self.instance, f"kept_{name}", None)
        return cleaned

    def full_clean(self) -> None:
        # The model form writes its cleaned values onto the instance, so what is stored is kept aside first.
        for name in self.SECRETS:
            setattr(self.instance, f"kept_{name}", getattr(self.instance, name, None))
        super().full_clean()


class MembershipInline(admin.TabularInline):
    model = Membership
    extra = 0
    autocomplete_fields = ["user"]


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    fieldsets = (*(DjangoUserAdmin.fieldsets or ()), ("Reading", {"fields": ("time_zone",)}))
    list_filter = ["is_staff", "is_superuser", "is_active", "memberships__project"]


class ProjectAdmin(admin.ModelAdmin):
    """Registered by `tracking`, which gives a new project its environments."""

    form = SecretsForm
    list_display = ["slug", "name", "repository", "default_branch", "created_at"]
    search_fields = ["slug", "name", "repository"]
    list_filter = ["created_at"]
    inlines = [MembershipInline]


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin):
    list_display = ["user", "project", "role"]
    list_filter = ["role", "project"]
    search_fields = ["user__username", "user__email", "project__slug"]
    autocomplete_fields = ["user", "project"]
    list_select_related = ["user", "project"]


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin):
    """Tokens are made elsewhere, where they can be shown once; here they are seen and revoked, for good."""

    actions = ["revoke"]
    list_display = [
        "name",
        "prefix",
        "project",
        "scope",
        "created_by",
        "expires_at",
        "last_used_at",
        "revoked_at",
    ]
    list_filter = ["scope", "project", "revoked_at"]
    search_fields = ["name", "prefix", "project__slug"]
    readonly_fields = [
        *("project", "name", "scope", "prefix", "created_by", "created_at", "last_used_at", "revoked_at")
    ]
    fields = [*readonly_fields, "expires_at"]
    list_select_related = ["project", "created_by"]

    @admin.action(description="Revoke: the door is closed for good", permissions=["change"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[ApiToken]) -> None:
        by, now = cast(User, request.user), timezone.now()
        closed = sum(tokens.revoke(token, by=by, now=now) for token in chosen)
        self.message_user(request, f"{closed} revoked.")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(AuditEntry)
class AuditEntryAdmin(admin.ModelAdmin):
    """The record of what was done; nobody changes it."""

    list_display = ["at", "actor_name", "action", "target", "project"]
    list_filter = ["action", "project"]
    search_fields = ["actor_name", "action", "target"]
    date_hierarchy = "at"
    list_select_related = ["project"]
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
