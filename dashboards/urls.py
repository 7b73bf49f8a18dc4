"""The map of pages."""

urlpatterns: list = []
