"""The stand-in for Auth: signs tokens as Auth would, publishes the keys, knows the users."""

from devstack.stand_ins.auth.app import create_app

__all__ = ["create_app"]
