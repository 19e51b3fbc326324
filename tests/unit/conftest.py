"""Tests without a database. A slow machine is no fault, so Hypothesis does not watch the clock."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "calm", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("calm")
