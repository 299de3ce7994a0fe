"""Refusing nonsense in a configuration: one sentence with the field, its value and what is allowed."""

from __future__ import annotations

from dataclasses import MISSING, fields

from ..kernel.distributions import is_number


def check(config, name: str, holds: bool, allowed: str) -> None:
    """Refuses a field unless `holds`."""
    if not holds:
        raise ValueError(f"{name}: {getattr(config, name)!r} is not allowed; it must be {allowed}")


def whole(config, name: str, least: int) -> None:
    """A whole number, at least `least`."""
    value = getattr(config, name)
    check(config, name, isinstance(value, int) and not isinstance(value, bool) and value >= least,
          f"a whole number, at least {least}")


def boolean(config, name: str) -> None:
    """True or False, and nothing that merely passes for it."""
    check(config, name, isinstance(getattr(config, name), bool), "True or False")


def seconds(config, name: str) -> None:
    """A duration that may be nothing."""
    value = getattr(config, name)
    check(config, name, is_number(value) and value >= 0, "a number of seconds, at least 0")


def positive_seconds(config, name: str) -> None:
    """A duration."""
    value = getattr(config, name)
    check(config, name, is_number(value) and value > 0, "a number of seconds, greater than 0")


def instance(config, name: str, kind: type) -> None:
    """An object of this kind."""
    check(config, name, isinstance(getattr(config, name), kind), f"a {kind.__name__}")


def zone_names(config, name: str) -> None:
    """Zones as a tuple of names."""
    value = getattr(config, name)
    check(config, name, isinstance(value, tuple) and bool(value) and all(isinstance(z, str) and z for z in value),
          "a tuple of zone names, for example ('a', 'b', 'c')")


def changes(config) -> str:
    """The fields that differ from their defaults, as one would type them."""
    return ", ".join(f"{f.name}={getattr(config, f.name)!r}" for f in fields(config)
                     if f.init and f.default is not MISSING and getattr(config, f.name) != f.default)
