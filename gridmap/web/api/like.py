"""Answers that tell a dataclass of a service whole: named once, in the service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, get_type_hints

from pydantic import create_model

from gridmap.web.api import Model

M = TypeVar("M", bound=Model)


def like(source: type, *properties: str) -> Callable[[type[M]], type[M]]:
    """Give a model the fields of the dataclass ``source`` and those ``properties`` of it, each of the same type.

    A field that the model declares itself stays as it is: that of another model, or of fewer values. For what is told
    whole; where something is left out, the fields stand in the model.
    """

    def declare(model: type[M]) -> type[M]:
        told = get_type_hints(source)
        told |= {name: get_type_hints(getattr(source, name).fget)["return"] for name in properties}
        fields: dict[str, Any] = {name: (kind, ...) for name, kind in told.items() if name not in model.model_fields}
        return create_model(
            model.__name__, __base__=model, __module__=model.__module__, __doc__=model.__doc__, **fields
        )

    return declare
