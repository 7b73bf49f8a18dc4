"""The map of pages."""

from django.urls import path

urlpatterns: list = []
