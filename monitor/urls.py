"""The addresses of the pages."""

from django.urls import path

from monitor import health, views

app_name = "monitor"
urlpatterns = [
    path("", views.overview, name="overview"),
    path("machines/<str:name>/", views.machine, name="machine"),
    path("machines/<str:name>/since/", views.since, name="since"),
    path("favicon.ico", views.icon),  # asked for by pages that name none, as the log-in
    path("health", health.health, name="health"),
]
