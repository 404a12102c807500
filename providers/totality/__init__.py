"""Totality LMS: everything that only this provider knows."""

from dataclasses import replace

from providers.totality import reading, writing

PROVIDER = replace(reading.PROVIDER, desk=writing.DESK)
