"""XML from strangers: a document type, and with it every entity, is refused before a parser of ours reads on."""

from __future__ import annotations

from typing import IO
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from geodata.errors import GeodataError


def refuse_entities(stream: IO[bytes], name: str) -> str:
    """Read ``stream`` up to its root element and return the root's tag without namespace.

    A document type can only stand before the root, so no more needs to be read. Raises ``XML_ENTITIES`` where one
    does and ``XML_BROKEN`` where no root comes.
    """
    try:
        for _event, element in iterparse(stream, events=("start",), forbid_dtd=True):
            return str(element.tag).rpartition("}")[2]
    except DefusedXmlException as error:
        raise GeodataError("XML_ENTITIES", name=name) from error
    except (ParseError, ValueError, LookupError) as error:
        raise GeodataError("XML_BROKEN", name=name) from error
    raise GeodataError("XML_BROKEN", name=name)
