"""A year of readers, calls and outages, told by the service and by a second implementation."""
