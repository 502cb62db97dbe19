"""A stand-in for Dynamics 365: the Dataverse Web API v9.2 and its sign-in."""

from .app import DynamicsSandbox as DynamicsSandbox
