"""Stand-in for Marketo Engage over its REST API."""

from .app import MarketoSandbox as MarketoSandbox
