"""The three providers as local servers, with worlds to serve: for development, the demo and tests.

It imports nothing of the product, so that what it says about a provider is
written twice, independently.
"""

from sandbox.credentials import CREDENTIALS

__all__ = ["CREDENTIALS"]
